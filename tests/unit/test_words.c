/* Words of texts, their vocabulary, and UTF-8. */
#include "test.h"

#include "base/text_list.h"
#include "base/utf8.h"
#include "sources/tokens.h"
#include "sources/word_counts.h"
#include "sources/words.h"

#include <string.h>

/* Asserts that a text has these words, which are separated by blanks. */
static void check_words(const char *text, const char *expected)
{
    char found[512] = "";
    ls_word word;
    for (const char *at = text; ls_word_next(&at, &word);) {
        assert_false(word.too_long);
        assert_int_equal(word.bytes, strlen(word.text));
        strcat(found, *found != '\0' ? " " : "");
        strcat(found, word.text);
    }
    assert_string_equal(found, expected);
}

static void words_are_small_and_punctuation_stands_alone(void **state)
{
    (void)state;
    check_words("", "");
    check_words(" \t\r\n\x01\x7f", "");
    check_words("The CAT, the dog: 3.14!", "the cat , the dog : 3 . 14 !");
    check_words("wait... what?! --ok", "wait . what ? ! - ok");
    check_words("e-mail@x.org #1", "e - mail @ x . org # 1");
}

static void apostrophes_belong_to_words_only_between_letters(void **state)
{
    (void)state;
    check_words("Don't 'quote' dogs' '", "don't ' quote ' dogs ' '");
    check_words("don\xe2\x80\x99t", "don't");
    check_words("''a''b''", "' a ' b '");
    check_words("rock'n'roll", "rock'n'roll");
}

static void letters_of_other_scripts_are_letters_and_become_small(void **state)
{
    (void)state;
    check_words("ÄRGER Straße ŁÓDŹ İi ĸ ÿ", "ärger straße łódź İi ĸ ÿ");
    check_words("ΑΒΓ Привет ЁЖ Ґ", "αβγ привет ёж ґ");
    check_words("東京、大阪。", "東京 、 大阪 。");
    check_words("\xc2\xbfQu\xc3\xa9\xe2\x80\xa6 \xe2\x80\x94 \xc3\x97\xc2\xa0x",
                "\u00bf qu\u00e9 \u2026 \u2014 \u00d7 x");
}

static void bytes_that_are_not_utf8_are_replaced_one_by_one(void **state)
{
    (void)state;
    check_words("a\xff\xfe b", "a\xef\xbf\xbd\xef\xbf\xbd b");
    check_words("\xe2\x80", "\xef\xbf\xbd\xef\xbf\xbd");                 /* truncated */
    check_words("\xc0\xaf", "\xef\xbf\xbd\xef\xbf\xbd");                 /* overlong */
    check_words("\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"); /* a surrogate */
}

static void long_words_are_marked(void **state)
{
    char text[2 * LS_WORD_MOST];
    ls_word word;
    (void)state;
    for (int length = LS_WORD_MOST - 1; length <= LS_WORD_MOST + 1; length++) {
        memset(text, 'x', (size_t)length);
        strcpy(text + length, " y");
        const char *at = text;
        assert_true(ls_word_next(&at, &word));
        assert_int_equal(word.too_long, length > LS_WORD_MOST);
        assert_true(ls_word_next(&at, &word));
        assert_string_equal(word.text, "y");
        assert_false(ls_word_next(&at, &word));
    }
}

static void code_points_are_written_as_they_are_read(void **state)
{
    (void)state;
    for (uint32_t c = 1; c < 0x110000; c += c < 0x900 ? 1 : 61) {
        char text[LS_UTF8_MOST + 1] = "";
        const char *at = text;
        if (c >= 0xd800 && c <= 0xdfff)
            continue;
        const int length = ls_utf8_write(c, text);
        assert_int_equal(ls_utf8_length(text), length);
        assert_int_equal(ls_utf8_next(&at), c);
        assert_ptr_equal(at, text + length);
    }
}

/* Counts the words of a text, and chooses the commonest. */
static ls_word_counts *count(const char *text, int64_t most, ls_text_list *texts)
{
    ls_word_counts *v = NULL;
    ls_word word;
    assert_ok(ls_word_counts_create(&v));
    while (ls_word_next(&text, &word))
        assert_ok(ls_word_counts_add(v, word.text));
    assert_ok(ls_word_counts_choose(v, most, texts));
    return v;
}

static void the_commonest_words_have_tokens_and_ties_are_in_the_order_of_bytes(void **state)
{
    static const char *const expected[] = {"<padding>", "<unknown>", "c", "a", "b"};
    ls_text_list texts = {0};
    (void)state;
    ls_word_counts *v = count("c b c a c a b zz", 3, &texts);
    assert_int_equal(texts.count, 5);
    for (int i = 0; i < 5; i++)
        assert_string_equal(texts.text[i], expected[i]);
    assert_int_equal(ls_word_counts_token(v, "c"), 2);
    assert_int_equal(ls_word_counts_token(v, "b"), 4);
    assert_int_equal(ls_word_counts_token(v, "zz"), LS_TOKEN_UNKNOWN);
    assert_int_equal(ls_word_counts_token(v, "never"), LS_TOKEN_UNKNOWN);
    ls_word_counts_destroy(&v);
    ls_text_list_free(&texts);
}

static void a_large_vocabulary_does_not_depend_on_the_order_of_words(void **state)
{
    enum { WORDS = 20011 };
    ls_text_list texts[2] = {{0}, {0}};
    (void)state;
    for (int k = 0; k < 2; k++) {
        ls_word_counts *v = NULL;
        char word[16];
        assert_ok(ls_word_counts_create(&v));
        for (int i = 0; i < 2 * WORDS; i++) {
            const int number = (k == 0 ? i : i * 7) % WORDS;
            snprintf(word, sizeof word, "w%d", number);
            assert_ok(ls_word_counts_add(v, word));
            if (number % 3 == 0)
                assert_ok(ls_word_counts_add(v, word));
        }
        assert_ok(ls_word_counts_choose(v, WORDS, &texts[k]));
        for (int64_t i = 2; i < texts[k].count; i++)
            assert_int_equal(ls_word_counts_token(v, texts[k].text[i]), i);
        ls_word_counts_destroy(&v);
    }
    assert_int_equal(texts[0].count, WORDS + 2);
    for (int64_t i = 0; i < texts[0].count; i++)
        assert_string_equal(texts[0].text[i], texts[1].text[i]);
    ls_text_list_free(&texts[0]);
    ls_text_list_free(&texts[1]);
}

static void tokens_have_the_smallest_type(void **state)
{
    uint16_t tokens[2] = {0};
    (void)state;
    assert_int_equal(ls_token_type(256), LS_H5_U8);
    assert_int_equal(ls_token_type(257), LS_H5_U16);
    assert_int_equal(ls_token_type(65536), LS_H5_U16);
    assert_int_equal(ls_token_type(65537), LS_H5_I32);
    ls_token_put(tokens, LS_H5_U16, 1, 65535);
    assert_int_equal(tokens[1], 65535);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_are_small_and_punctuation_stands_alone),
        cmocka_unit_test(apostrophes_belong_to_words_only_between_letters),
        cmocka_unit_test(letters_of_other_scripts_are_letters_and_become_small),
        cmocka_unit_test(bytes_that_are_not_utf8_are_replaced_one_by_one),
        cmocka_unit_test(long_words_are_marked),
        cmocka_unit_test(code_points_are_written_as_they_are_read),
        cmocka_unit_test(the_commonest_words_have_tokens_and_ties_are_in_the_order_of_bytes),
        cmocka_unit_test(a_large_vocabulary_does_not_depend_on_the_order_of_words),
        cmocka_unit_test(tokens_have_the_smallest_type),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
