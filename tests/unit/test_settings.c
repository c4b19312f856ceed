/* The table of settings; a configuration as text. */
#include "test.h"

#include <lockstep/config.h>
#include <lockstep/comm.h>
#include <lockstep/settings.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { TEXT = 8192 };
static const ls_preset_data five = {.outputs = 5}, ten = {.outputs = 10};

static void every_setting_is_complete_and_unique(void **state)
{
    (void)state;
    int count;
    const ls_setting *rows = ls_settings(&count);
    ls_train_config config;
    ls_config_default(&config);
    for (int i = 0; i < count; i++) {
        const ls_setting *row = &rows[i];
        assert_true(row->name != NULL && row->help != NULL && row->group != NULL);
        assert_true((row->argument == NULL) == (row->type == LS_TYPE_FLAG));
        assert_true((row->choices != NULL) ==
                    (row->type == LS_TYPE_CHOICE || row->type == LS_TYPE_LOSS));
        assert_true(strchr(row->help, '\n') == NULL);
        assert_true(ls_setting_find(row->name, strlen(row->name)) == row); /* no name twice */
        for (int k = i + 1; k < count; k++) {
            assert_true(rows[k].offset != row->offset ||
                        (row->type == LS_TYPE_CHOICE) != (rows[k].type == LS_TYPE_CHOICE));
            if (strcmp(rows[k].group, row->group) == 0) /* a group's rows follow each other */
                assert_string_equal(rows[k - 1].group, row->group);
        }
        if ((row->flags & LS_SETTING_REQUIRED) == 0)
            assert_ok(ls_setting_check(row, &config));
    }
}

static void every_choice_has_a_name_and_help(void **state)
{
    (void)state;
    int count;
    const ls_setting *rows = ls_settings(&count);
    ls_train_config config;
    char text[64];
    ls_config_default(&config);
    for (int i = 0; i < count; i++)
        for (int k = 0; rows[i].choices != NULL && rows[i].choices[k].name != NULL; k++) {
            assert_true(*rows[i].choices[k].help != '\0');
            assert_ok(ls_config_set(&config, rows[i].name, rows[i].choices[k].name));
            ls_setting_format(&rows[i], &config, text, sizeof text);
            assert_string_equal(text, rows[i].choices[k].name);
        }
    assert_int_equal(config.reduce, LS_REDUCE_AUTO);
    assert_string_equal(ls_reduce_name(config.reduce), "auto");
    assert_string_equal(ls_loss_name(LS_MSE), "mse");
    assert_string_equal(ls_optimizer_name(LS_LAMB), "lamb");
    assert_string_equal(ls_schedule_name(LS_SCHEDULE_PLATEAU), "plateau");
}

static void defaults_are_the_documented_ones(void **state)
{
    (void)state;
    ls_train_config c;
    ls_config_default(&c);
    assert_fails(ls_config_check(&c), LS_ERR_USAGE, "--data is needed");
    c.data = "x.h5";
    assert_ok(ls_config_check(&c));
    assert_string_equal(c.model, "mlp");
    assert_true(c.batch == 128 && c.epochs == 5 && c.lr == 0.001 && c.mean == 0 && c.std == 1);
    assert_true(c.optimizer.kind == LS_ADAM && c.optimizer.beta2 == 0.999);
    assert_true(c.checkpoint_every.epochs == 1 && c.memory == 256 << 20 && c.time_limit == 0);
    assert_true(c.stop_margin == 10 && c.schedule.scaling == LS_LR_AS_GIVEN);
}

/* In any unit. */
static void written_settings_are_read_back(void **state)
{
    (void)state;
    static const struct {
        const char *name, *given, *written;
    } cases[] = {
        {"checkpoint-every", "500 steps", "500steps"},
        {"checkpoint-every", "1", "1epoch"},
        {"checkpoint-every", "2epoch", "2epochs"},
        {"checkpoint-every", "600s", "10min"},
        {"checkpoint-every", "1.5h", "90min"},
        {"checkpoint-every", "0.25s", "0.25s"},
        {"checkpoint-every", "2d", "2d"},
        {"stop-margin", "90", "90s"},
        {"memory", "262144K", "256M"},
        {"memory", "1000", "1000"},
        {"memory", "1.5G", "1536M"},
        {"scale-lr", "linear:0128", "linear:128"},
        {"scale-lr", "sqrt:1", "sqrt:1"},
        {"normalize", "0.1307,0.3081", "0.1307,0.3081"},
        {"lr", "0.30000000000000004", "0.30000000000000004"},
        {"lr", "1e-2", "0.01"},
        {"augment", " shift:1 ", "\" shift:1 \""},
        {"run", "\"a\"", "\"\"a\"\""},
        {"nesterov", "true", "true"},
    };
    char text[TEXT], again[TEXT];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ls_train_config config, read;
        char line[128];
        ls_config_default(&config);
        config.data = "data set.h5";
        assert_ok(ls_config_set(&config, cases[i].name, cases[i].given));
        const size_t length = ls_config_text(&config, text, sizeof text);
        assert_true(length == strlen(text) && length == ls_config_text(&config, NULL, 0));
        snprintf(line, sizeof line, "\n%s = %s\n", cases[i].name, cases[i].written);
        if (strstr(text, line) == NULL)
            fail_msg("%s %s: no line '%s'", cases[i].name, cases[i].given, cases[i].written);
        ls_config_default(&read);
        memcpy(again, text, length + 1);
        assert_ok(ls_config_read(&read, again, "config"));
        assert_string_equal(read.data, "data set.h5");
        char once_more[TEXT];
        ls_config_text(&read, once_more, sizeof once_more);
        assert_string_equal(once_more, text);
        assert_false(ls_config_diff(text, &read, &ten, LS_CHANGE_RESULT, line, sizeof line));
    }
}

static void settings_of_one_invocation_are_not_saved(void **state)
{
    (void)state;
    ls_train_config config;
    char text[TEXT];
    ls_config_default(&config);
    ls_config_text(&config, text, sizeof text);
    assert_null(strstr(text, "resume"));
    assert_null(strstr(text, "max-time"));
    char file[] = "resume = auto\n";
    assert_fails(ls_config_read(&config, file, "f"), LS_ERR_USAGE,
                 "f line 1: 'resume' is for one invocation");
}

static void truncated_text_returns_the_whole_length(void **state)
{
    (void)state;
    ls_train_config config;
    char whole[TEXT], part[100];
    ls_config_default(&config);
    const size_t length = ls_config_text(&config, whole, sizeof whole);
    assert_true(ls_config_text(&config, part, sizeof part) == length);
    assert_true(strlen(part) == sizeof part - 1 && strncmp(part, whole, sizeof part - 1) == 0);
}

static void values_out_of_range_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *name, *text, *part;
    } cases[] = {
        {"label-smoothing", "1", "--label-smoothing: 1 is too large, it must be below 1"},
        {"momentum", "1", "--momentum: 1 is too large, it must be below 1, as a float"},
        {"seed", "9007199254740993", "--seed: 9007199254740993 is too large"},
        {"momentum", "-0.1", "too small, the minimum is 0"},
        {"ema", "0.99999999999", "it must be below 1, as a float"},
        {"beta1", "1", "--beta1"},
        {"beta2", "0.99999999999", "--beta2"},
        {"epsilon", "0", "--epsilon: 0 is too small, it must be above 0, as a float"},
        {"epsilon", "1e-50", "--epsilon"},
        {"trust-coefficient", "0", "--trust-coefficient"},
        {"trust-coefficient", "1e-50", "must be above 0"},
        {"trust-coefficient", "1.5", "the maximum is 1"},
        {"validation", "1", "it must be below 1"},
        {"lr-gamma", "0", "it must be above 0"},
        {"lr-gamma", "1.5", "the maximum is 1"},
        {"lr-final", "1.1", "the maximum is 1"},
        {"lr-step", "-1", "the minimum is 0"},
        {"warmup", "-1", "the minimum is 0"},
        {"plateau-patience", "0", "the minimum is 1"},
        {"weight-decay", "-1", "--weight-decay"},
        {"clip-norm", "-1", "--clip-norm"},
        {"clip-norm", "inf", "'inf' is not a number"},
        {"clip-norm", "nan", "'nan' is not a number"},
        {"batch", "0", "the minimum is 1"},
        {"batch", "16777217", "the maximum is 16777216"},
        {"normalize", "0,0", "is not MEAN,STD, with the second above 0"},
        {"normalize", "nan,1", "is not MEAN,STD"},
        {"checkpoint-every", "0", "is not an interval: write 500steps"},
        {"checkpoint-every", "1.5steps", "is not an interval"},
        {"checkpoint-every", "3weeks", "is not an interval"},
        {"max-time", "3epochs", "is not a time: write 90s"},
        {"memory", "0", "is not a size"},
        {"memory", "1T", "is not a size"},
        {"scale-lr", "linear", "is not a rule and a batch"},
        {"scale-lr", "linear:0", "is not a rule and a batch"},
        {"scale-lr", ":3", "is not a rule and a batch"},
        {"loss", "hinge", "is not one of: cross-entropy mse"},
        {"loss", "huber:0", "write huber:D with a number above 0"},
        {"loss", "huber:1x", "write huber:D with a number above 0"},
        {"loss", "huber:nan", "write huber:D with a number above 0"},
        {"loss", "mse:2", "is not one of: cross-entropy mse"},
        {"loss", "l1", "did you mean mae?"},
        {"nesterov", "yes", "neither true nor false"},
        {"model", "a\nb", "must be a single line"},
        {"no-such", "1", "there is no setting no-such"},
        {"batsh", "1", "there is no setting batsh; did you mean batch?"},
    };
    ls_train_config config, before;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ls_config_default(&config);
        ls_config_default(&before);
        assert_fails(ls_config_set(&config, cases[i].name, cases[i].text), LS_ERR_USAGE,
                     cases[i].part);
        assert_memory_equal(&config, &before, sizeof config);
    }
    assert_ok(ls_config_set(&config, "momentum", "0.99"));
    assert_ok(ls_config_set(&config, "validation", "0.995"));
    assert_ok(ls_config_set(&config, "lr-gamma", "1"));
}

/* Fields set by a C program have the same ranges as texts. */
static void fields_out_of_range_are_refused(void **state)
{
    (void)state;
    ls_train_config good;
    ls_config_default(&good);
    good.data = "x.h5";
#define BAD(field, value, part)                                                                    \
    do {                                                                                           \
        ls_train_config bad = good;                                                                \
        bad.field = value;                                                                         \
        assert_fails(ls_config_check(&bad), LS_ERR_USAGE, part);                                   \
    } while (0)
    BAD(label_smoothing, 1, "--label-smoothing: 1 is too large, it must be below 1");
    BAD(optimizer.momentum, 1, "--momentum");
    BAD(optimizer.epsilon, 0, "--epsilon");
    BAD(optimizer.weight_decay, NAN, "--weight-decay: 'nan' is not a number");
    BAD(optimizer.clip_norm, INFINITY, "--clip-norm: 'inf' is not a number");
    BAD(optimizer.ema, 0.99999999999, "--ema");
    BAD(optimizer.kind, (ls_optimizer_kind)9, "--optimizer: there is no choice 9");
    BAD(schedule.kind, (ls_schedule_kind)9, "--schedule");
    BAD(schedule.warmup, NAN, "--warmup");
    BAD(schedule.scaling, LS_LR_SQRT, "--scale-lr needs a base batch");
    BAD(schedule.patience, 0, "--plateau-patience");
    BAD(std, 0, "--normalize");
    BAD(mean, NAN, "--normalize");
    BAD(checkpoint_every.steps, 5, "in one unit"); /* as well as 1 epoch */
    BAD(checkpoint_every.epochs, 0, "must be above 0");
    BAD(time_limit, -1, "--max-time");
    BAD(memory, 0, "--memory");
    BAD(threads, -1, "--threads");
    BAD(run, NULL, "--run: must be a single line");
    BAD(model, "a\nb", "--model: must be a single line");
#undef BAD
}

static void contradictory_settings_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *name[2], *text[2], *part;
    } cases[] = {
        {{"label-smoothing", "loss"}, {"0.1", "mse"}, "needs --loss cross-entropy"},
        {{"stream", "shuffle"}, {"true", "none"}, "give --shuffle local"},
        {{"on-nan", "run"}, {"rollback", ""}, "needs --run"},
        {{"schedule", "warmup"}, {"onecycle", "1"}, "includes a warmup"},
        {{"schedule", "warmup"}, {"cosine", "5"}, "leaves none of 5 epochs"},
        {{"lr", "scale-lr"}, {"1e30", "linear:1"}, NULL},
        {{"nesterov", "optimizer"}, {"true", "sgd"}, "--nesterov needs a --momentum"},
        {{"momentum", "optimizer"}, {"0.5", "adam"}, "--momentum is for"},
        {{"reduce", "reproducible"}, {"exact", "false"}, "is part of --reproducible"},
        {{"reduce", "reproducible"}, {"fused", "true"}, "leave --reduce fused out"},
        {{"threads", "reproducible"}, {"2", "true"}, "one BLAS thread"},
        {{"shuffle", "reproducible"}, {"local", "true"}, "--reproducible excludes --shuffle local"},
        {{"shard-optimizer", "reproducible"}, {"true", "true"}, "can't be combined"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ls_train_config config;
        ls_config_default(&config);
        config.data = "x.h5";
        for (int k = 0; k < 2; k++)
            assert_ok(ls_config_set(&config, cases[i].name[k], cases[i].text[k]));
        if (cases[i].part == NULL)
            assert_ok(ls_config_check(&config));
        else
            assert_fails(ls_config_check(&config), LS_ERR_USAGE, cases[i].part);
    }
}

static void a_file_is_read_line_by_line(void **state)
{
    (void)state;
    ls_train_config config;
    ls_config_default(&config);
    char good[] = "# comment\n\n data = a b.h5 \r\nlr=1e-2\nmodel = \"dense:3 # x\"\nlr = 1e-2";
    assert_ok(ls_config_read(&config, good, "f"));
    assert_string_equal(config.data, "a b.h5");
    assert_string_equal(config.model, "dense:3 # x");
    assert_true(config.lr == 0.01);
    char twice[] = "lr = 1\n# x\nlr = 2\n", unknown[] = "lr = 1\nepocs = 3\n", none[] = "\nlr\n";
    assert_fails(ls_config_read(&config, twice, "f"), LS_ERR_USAGE,
                 "f line 3: 'lr' is given twice, as 1 and 2");
    assert_fails(ls_config_read(&config, unknown, "f"), LS_ERR_USAGE,
                 "f line 2: there is no setting epocs; did you mean epochs?");
    assert_fails(ls_config_read(&config, none, "f"), LS_ERR_USAGE,
                 "f line 2: 'lr' is not 'key = value'");
}

/* The D of huber is part of the loss; 1 is left out. */
static void a_loss_may_have_a_number(void **state)
{
    (void)state;
    static const char *const texts[][2] = {
        {"huber", "huber"}, {"huber:1", "huber"}, {"huber:0.25", "huber:0.25"}, {"mae", "mae"}};
    static const double numbers[] = {1, 1, 0.25, 1};
    char text[64];
    ls_train_config config;
    const ls_setting *row = ls_setting_find("loss", 4);
    ls_config_default(&config);
    assert_int_equal(config.loss, LS_LOSS_AUTO);
    for (int i = 0; i < 4; i++) {
        assert_ok(ls_config_set(&config, "loss", texts[i][0]));
        assert_int_equal(config.loss, i < 3 ? LS_HUBER : LS_MAE);
        assert_true(config.huber == numbers[i]);
        ls_setting_format(row, &config, text, sizeof text);
        assert_string_equal(text, texts[i][1]);
    }
    config.loss = LS_HUBER;
    config.huber = -1;
    assert_fails(ls_setting_check(row, &config), LS_ERR_USAGE, "must be above 0");
}

static void weights_of_classes_are_numbers_of_0_or_more(void **state)
{
    (void)state;
    static const char *const good[] = {"none", "balanced", "1,1,20", "0,1e-3", "5"};
    static const char *const bad[] = {"",         "no",        "0,0,0",    "1,,2", "1,2,", ",1",
                                      "1,-2",     "1,nan",     "1,inf",    " 1,2", "1, 2", "1,2 ",
                                      "1,1e21,2", "balanced,", "Balanced", "1;2",  "1,2,x"};
    ls_train_config config;
    ls_config_default(&config);
    config.data = "x.h5";
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        assert_ok(ls_config_set(&config, "class-weights", good[i]));
        assert_ok(ls_config_check(&config));
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        config.class_weights = bad[i];
        assert_fails(ls_config_check(&config), LS_ERR_USAGE,
                     "expected balanced, or for each class");
    }
}

/* The classes say which changes a resumed run may make. */
static void changes_are_reported_by_their_class(void **state)
{
    (void)state;
    char before[TEXT], out[512];
    ls_train_config config;
    ls_config_default(&config);
    ls_config_text(&config, before, sizeof before);
    assert_false(ls_config_diff(before, &config, &ten, LS_CHANGE_RESULT, out, sizeof out));
    assert_string_equal(out, "");
    config.lr = 0.5;        /* fixed */
    config.seed = 7;        /* order */
    config.loss = LS_MSE;   /* bound */
    config.keep = 9;        /* free */
    config.threads = 3;     /* free */
    config.epochs = 9;      /* fixed only where the rate depends on them */
    config.resume = "auto"; /* not saved */
    assert_true(ls_config_diff(before, &config, &ten, LS_CHANGE_RESULT, out, sizeof out));
    assert_string_equal(out, "--loss is mse, was auto; --seed is 7, was 0; "
                             "--lr is 0.5, was 0.001");
    assert_true(ls_config_diff(before, &config, &ten, LS_CHANGE_BOUND, out, sizeof out));
    assert_string_equal(out, "--loss is mse, was auto");
    assert_true(ls_config_diff(before, &config, &ten, LS_CHANGE_ORDER, out, sizeof out));
    assert_string_equal(out, "--seed is 7, was 0");
    config.schedule.kind = LS_SCHEDULE_COSINE;
    assert_true(ls_config_diff(before, &config, &ten, LS_CHANGE_RESULT, out, sizeof out));
    assert_non_null(strstr(out, "--epochs is 9, was 5"));
}

static void texts_of_older_versions_are_compared(void **state)
{
    (void)state;
    char out[512];
    ls_train_config config;
    ls_config_default(&config);
    assert_false(ls_config_diff("", &config, &ten, LS_CHANGE_RESULT, out, sizeof out));
    assert_false(ls_config_diff("memory = 262144K\nlayout = nchw\nlr = 1e-3\nunknown = 3\n",
                                &config, &ten, LS_CHANGE_RESULT, out, sizeof out));
    config.schedule.scaling = LS_LR_LINEAR, config.schedule.base_batch = 64;
    assert_true(ls_config_diff("", &config, &ten, LS_CHANGE_RESULT, out, sizeof out));
    assert_string_equal(out, "--scale-lr is linear:64, was unset");
}

/* A preset's name and its layers are the same network, in both directions. */
static void networks_are_compared_by_their_layers(void **state)
{
    (void)state;
    char out[512];
    ls_train_config config;
    ls_config_default(&config);
    static const char *const same[][2] = {{"mlp", "dense:512 relu dense:10"},
                                          {"dense:512 relu dense:10", "mlp"},
                                          {"mlp", "dense:512  relu dense:10 "},
                                          {"mlp", "\"dense:512 relu dense:10\""},
                                          {"dense:10", " dense:10"}};
    static const char *const other[][2] = {{"mlp", "dense:512 relu dense:9"},
                                           {"dense:512 relu dense:10", "lenet5"},
                                           {"dense:10", "dense:1"},
                                           {"dense:10", "dense:10 relu"},
                                           {"dense:10", "\""}};
    for (int i = 0; i < 5; i++) {
        char before[100];
        snprintf(before, sizeof before, "model = %s\n", same[i][1]);
        config.model = same[i][0];
        assert_false(ls_config_diff(before, &config, &ten, LS_CHANGE_BOUND, out, sizeof out));
        snprintf(before, sizeof before, "model = %s\n", other[i][1]);
        config.model = other[i][0];
        assert_true(ls_config_diff(before, &config, &ten, LS_CHANGE_BOUND, out, sizeof out));
    }
    config.model = "dense:512 relu dense:10";
    assert_false(ls_config_diff("", &config, &ten, LS_CHANGE_BOUND, out, sizeof out)); /* mlp */
    assert_true(ls_config_diff("", &config, &five, LS_CHANGE_BOUND, out, sizeof out));
}

/* The layers of a preset, and an embedding's vocabulary, are those for the data. */
static void networks_are_compared_for_the_data(void **state)
{
    (void)state;
    static const struct {
        ls_preset_data data;
        const char *now, *before;
        bool same;
    } cases[] = {
        {{.outputs = 3, .vocabulary = 9},
         "lstm",
         "embedding:64 lstm:128,all dropout:0.2 lstm:128 dropout:0.2 dense:3",
         true},
        {{.outputs = 3, .vocabulary = 9, .by_step = true},
         "embedding:64,9 lstm:128,all dropout:0.2 lstm:128,all dropout:0.2 dense:3",
         "lstm",
         true},
        {{.outputs = 3, .by_step = true},
         "lstm",
         "lstm:128,all dropout:0.2 lstm:128 dropout:0.2 dense:3",
         false},
        {{.outputs = 3, .vocabulary = 9},
         "lstm",
         "lstm:128,all dropout:0.2 lstm:128 dropout:0.2 dense:3",
         false},
        {{.outputs = 3, .vocabulary = 9}, "embedding:4 dense:3", "embedding:4,9 dense:3", true},
        {{.outputs = 3, .vocabulary = 9}, "embedding:4,8 dense:3", "embedding:4 dense:3", false},
        {{.outputs = 3}, "embedding:4 dense:3", "embedding:4,9 dense:3", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char before[200], out[512];
        ls_train_config config;
        ls_config_default(&config);
        config.model = cases[i].now;
        snprintf(before, sizeof before, "model = %s\n", cases[i].before);
        assert_int_equal(
            ls_config_diff(before, &config, &cases[i].data, LS_CHANGE_BOUND, out, sizeof out),
            !cases[i].same);
    }
}

static void long_and_quoted_texts_are_compared(void **state)
{
    (void)state;
    char out[512];
    ls_train_config config;
    ls_config_default(&config);
    char model[1000], longer[1100];
    memset(model, 'x', sizeof model - 1);
    model[sizeof model - 1] = '\0';
    config.model = model;
    snprintf(longer, sizeof longer, "model = %s\n", model);
    assert_false(ls_config_diff(longer, &config, &ten, LS_CHANGE_BOUND, out, sizeof out));
    longer[strlen("model = ") + 990] = 'y';
    assert_true(ls_config_diff(longer, &config, &ten, LS_CHANGE_BOUND, out, sizeof out));
    config.augment = " shift:1";
    assert_false(ls_config_diff("augment = \" shift:1\"\n", &config, &ten, LS_CHANGE_FIXED, out,
                                sizeof out));
}

static void the_end_of_a_batch_job_limits_the_time(void **state)
{
    (void)state;
    ls_train_config config;
    char end[32];
    ls_config_default(&config);
    unsetenv("SLURM_JOB_END_TIME");
    ls_config_limit_to_job(&config);
    assert_true(config.time_limit == 0);
    snprintf(end, sizeof end, "%lld", (long long)time(NULL) + 100);
    setenv("SLURM_JOB_END_TIME", end, 1);
    ls_config_limit_to_job(&config);
    assert_true(config.time_limit > 85 && config.time_limit <= 90);
    config.time_limit = 5;
    ls_config_limit_to_job(&config);
    assert_true(config.time_limit == 5);
    setenv("LOCKSTEP_END_TIME", end, 1); /* the first of the two */
    setenv("SLURM_JOB_END_TIME", "1", 1);
    config.time_limit = 0;
    ls_config_limit_to_job(&config);
    assert_true(config.time_limit > 85 && config.time_limit <= 90);
    unsetenv("LOCKSTEP_END_TIME");
    config.time_limit = 5;
    /* over: stops after the first step */
    ls_config_limit_to_job(&config);
    assert_true(config.time_limit == 1);
    unsetenv("SLURM_JOB_END_TIME");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_setting_is_complete_and_unique),
        cmocka_unit_test(every_choice_has_a_name_and_help),
        cmocka_unit_test(defaults_are_the_documented_ones),
        cmocka_unit_test(written_settings_are_read_back),
        cmocka_unit_test(settings_of_one_invocation_are_not_saved),
        cmocka_unit_test(truncated_text_returns_the_whole_length),
        cmocka_unit_test(values_out_of_range_are_refused),
        cmocka_unit_test(fields_out_of_range_are_refused),
        cmocka_unit_test(contradictory_settings_are_refused),
        cmocka_unit_test(a_file_is_read_line_by_line),
        cmocka_unit_test(a_loss_may_have_a_number),
        cmocka_unit_test(changes_are_reported_by_their_class),
        cmocka_unit_test(texts_of_older_versions_are_compared),
        cmocka_unit_test(networks_are_compared_by_their_layers),
        cmocka_unit_test(weights_of_classes_are_numbers_of_0_or_more),
        cmocka_unit_test(networks_are_compared_for_the_data),
        cmocka_unit_test(long_and_quoted_texts_are_compared),
        cmocka_unit_test(the_end_of_a_batch_job_limits_the_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
