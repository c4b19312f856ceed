#include "cli/suggest.h"

#include "base/text.h"

#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* Names of commands and options in Keras, PyTorch, scikit-learn and others, and here. A name may
 * have several rows: the first whose name here exists counts. */
static const struct {
    const char *theirs, *ours;
} synonyms[] = {
    /* Commands. */
    {"evaluate", "eval"},
    {"test", "eval"},
    {"validate", "eval"},
    {"inference", "predict"},
    {"infer", "predict"},
    {"classify", "predict"},
    {"score", "eval"},
    {"fit", "train"},
    {"run", "train"},
    {"resume", "train"},
    {"learn", "train"},
    {"convert", "import"},
    {"prepare", "import"},
    {"download", "import"},
    {"synthetic", "import"},
    {"show", "info"},
    {"describe", "info"},
    {"inspect", "info"},
    {"verify", "info"},
    {"summary", "info"},
    {"benchmark", "bench"},
    {"profile", "bench"},
    {"perf", "bench"},
    {"preview", "augment-preview"},
    {"augment", "augment-preview"},
    {"scale", "scaling"},
    {"check", "doctor"},
    {"diagnose", "doctor"},
    {"plot", "report"},
    {"html", "report"},
    {"version", "--version"},
    {"-v", "--version"},
    {"-version", "--version"},
    {"usage", "--help"},
    /* Data. */
    {"dataset", "data"},
    {"data-set", "data"},
    {"data-dir", "data"},
    {"data-path", "data"},
    {"train-data", "data"},
    {"training-data", "data"},
    {"input", "inputs"},
    {"input", "data"},
    {"x", "inputs"},
    {"features", "inputs"},
    {"y", "targets"},
    {"label", "targets"},
    {"labels", "targets"},
    {"target-column", "target"},
    {"label-column", "target"},
    {"hdf5", "data"},
    {"validation-split", "validation"},
    {"val-split", "validation"},
    {"val-fraction", "validation"},
    {"test-size", "validation"},
    {"transform", "augment"},
    {"transforms", "augment"},
    {"augmentation", "augment"},
    {"denoise", "corrupt"},
    {"corruption", "corrupt"},
    {"input-noise", "corrupt"},
    {"mean-std", "normalize"},
    {"subset", "split"},
    /* The network and its loss. */
    {"arch", "model"},
    {"architecture", "model"},
    {"network", "model"},
    {"net", "model"},
    {"layers", "model"},
    {"criterion", "loss"},
    {"loss-function", "loss"},
    {"loss-fn", "loss"},
    {"smoothing", "label-smoothing"},
    {"class-weight", "class-weights"},
    {"pos-weight", "class-weights"},
    {"sample-weight", "weights"},
    {"sample-weights", "weights"},
    {"random-seed", "seed"},
    {"random-state", "seed"},
    {"manual-seed", "seed"},
    /* Optimisation. */
    {"batch-size", "batch"},
    {"global-batch", "batch"},
    {"global-batch-size", "batch"},
    {"mini-batch", "batch"},
    {"minibatch", "batch"},
    {"bs", "batch"},
    {"learning-rate", "lr"},
    {"learning-rate-init", "lr"},
    {"rate", "lr"},
    {"n-epochs", "epochs"},
    {"num-epochs", "epochs"},
    {"nb-epochs", "epochs"},
    {"max-epochs", "epochs"},
    {"nb-epoch", "epochs"},
    {"max-iter", "epochs"},
    {"iterations", "steps"},
    {"iterations", "epochs"},
    {"opt", "optimizer"},
    {"solver", "optimizer"},
    {"algorithm", "optimizer"},
    {"beta-1", "beta1"},
    {"beta-2", "beta2"},
    {"eps", "epsilon"},
    {"wd", "weight-decay"},
    {"l2", "weight-decay"},
    {"decay", "weight-decay"},
    {"clipnorm", "clip-norm"},
    {"grad-clip", "clip-norm"},
    {"clip-grad", "clip-norm"},
    {"clip-grad-norm", "clip-norm"},
    {"max-grad-norm", "clip-norm"},
    {"gradient-clipping", "clip-norm"},
    {"trust", "trust-coefficient"},
    {"model-ema", "ema"},
    {"moving-average", "ema"},
    /* The schedule. */
    {"lr-schedule", "schedule"},
    {"lr-scheduler", "schedule"},
    {"scheduler", "schedule"},
    {"learning-rate-schedule", "schedule"},
    {"warmup-epochs", "warmup"},
    {"warm-up", "warmup"},
    {"lr-warmup", "warmup"},
    {"lr-warmup-epochs", "warmup"},
    {"step-size", "lr-step"},
    {"lr-step-size", "lr-step"},
    {"gamma", "lr-gamma"},
    {"lr-decay", "lr-gamma"},
    {"eta-min", "lr-final"},
    {"min-lr", "lr-final"},
    {"lr-min", "lr-final"},
    /* Early stopping, the run folder. */
    {"early-stopping", "patience"},
    {"early-stop", "patience"},
    {"early-stopping-patience", "patience"},
    {"restore-best-weights", "restore-best"},
    {"weights", "checkpoint"},
    {"weights", "resume"},
    {"ckpt", "checkpoint"},
    {"ckpt", "resume"},
    {"checkpoint", "resume"},
    {"load", "checkpoint"},
    {"load", "resume"},
    {"restore", "resume"},
    {"pretrained", "resume"},
    {"run", "checkpoint"},
    {"model", "checkpoint"},
    {"model-path", "checkpoint"},
    {"output", "out"},
    {"output", "run"},
    {"out", "run"},
    {"output-dir", "out"},
    {"output-dir", "run"},
    {"out-dir", "run"},
    {"save", "run"},
    {"save-dir", "run"},
    {"log-dir", "run"},
    {"logdir", "run"},
    {"run-dir", "run"},
    {"run-folder", "run"},
    {"checkpoint-dir", "run"},
    {"save-every", "checkpoint-every"},
    {"save-freq", "checkpoint-every"},
    {"checkpoint-freq", "checkpoint-every"},
    {"save-interval", "checkpoint-every"},
    {"max-to-keep", "keep"},
    {"save-top-k", "keep"},
    {"timeout", "max-time"},
    {"time-limit", "max-time"},
    /* Ranks, this invocation. */
    {"deterministic", "reproducible"},
    {"allreduce", "reduce"},
    {"n-threads", "threads"},
    {"num-threads", "threads"},
    {"nthreads", "threads"},
    {"n-jobs", "threads"},
    {"cfg", "config"},
    {"config-file", "config"},
    {"silent", "quiet"},
    {"max-memory", "memory"},
    {"num-samples", "limit"},
    {"max-samples", "limit"},
    /* Sequences and texts. */
    {"vocab-size", "vocabulary"},
    {"max-words", "vocabulary"},
    {"num-words", "vocabulary"},
    {"max-tokens", "vocabulary"},
    {"max-features", "vocabulary"},
    {"max-length", "steps"},
    {"max-len", "steps"},
    {"maxlen", "steps"},
    {"seq-len", "steps"},
    {"seq-length", "steps"},
    {"sequence-length", "steps"},
    {"block-size", "steps"},
    {"char", "characters"},
    {"chars", "characters"},
    {"char-level", "characters"},
    {"documents", "text"},
    {"line", "lines"},
    {"sentence", "text"},
    {"num-tokens", "generate"},
    {"max-new-tokens", "generate"},
    {"start", "prompt"},
    {"pad-id", "padding"},
    {"pad-token", "padding"},
    {"mask-value", "padding"},
    {"mask", "lengths"},
    {"num-classes", "classes"},
    {"n-classes", "classes"},
};

/* What other programs have an option for, and this one does not; names as in write_as_ours(). */
static const struct {
    const char *names; /* separated by blanks, with one at both ends */
    const char *why;
    bool of_network; /* only where there is an option --model */
} elsewhere[] = {
    {" n np nproc nprocs nproc-per-node ranks nranks num-ranks processes num-processes gpus "
     "world-size nnodes ",
     "ranks are started by mpirun: mpirun -n N lockstep ...", false},
    {" gpu gpu-id cuda no-cuda use-gpu use-cuda device devices accelerator mps ",
     "Lockstep computes on CPUs", false},
    {" workers num-workers n-workers nworkers data-workers pin-memory prefetch-factor ",
     "each rank reads its rows itself, and needs no workers", false},
    {" amp fp16 bf16 half precision mixed-precision dtype ", "Lockstep computes in 32-bit floats",
     false},
    {" activation activations nonlinearity ", "it is a word of --model: relu", true},
    {" dropout dropout-rate drop-rate p-dropout ", "it is a word of --model: dropout:0.5", true},
    {" hidden hidden-size hidden-sizes hidden-dim hidden-units hidden-layers hidden-layer-sizes "
     "units n-hidden ",
     "it is a word of --model: dense:512", true},
    {" filters kernel-size n-filters ", "it is a word of --model: conv:32x5", true},
    {" vocabulary vocab vocab-size embedding embedding-dim embed-dim embedding-size ",
     "it is a word of --model: embedding:64, or embedding:64,VOCABULARY", true},
    {" bidirectional return-sequences rnn-type ",
     "it is an option of recurrent words of --model: lstm:64,both, lstm:64,all", true},
    {" heads num-heads n-heads nhead ", "it is a word of --model: attention:4", true},
    {" batchnorm batch-norm batch-normalization ", "it is a word of --model: batchnorm", true},
};

enum { SYNONYMS = sizeof synonyms / sizeof *synonyms, LONGEST = 64 };

/* Converts a word to this program's style: lower case, with dashes. */
static void write_as_ours(const char *word, char out[LONGEST])
{
    size_t length = 0;
    for (; word[length] != '\0' && length < LONGEST - 1; length++)
        out[length] = (char)(word[length] == '_' ? '-' : tolower((unsigned char)word[length]));
    out[length] = '\0';
}

/* Returns true if a list, as in `elsewhere`, has a name. */
static bool is_listed(const char *names, const char *name)
{
    char spaced[LONGEST + 2];
    snprintf(spaced, sizeof spaced, " %s ", name);
    return strchr(name, ' ') == NULL && strstr(names, spaced) != NULL;
}

const char *ls_explain(const char *word, bool has_model)
{
    char meant[LONGEST];
    write_as_ours(word, meant);
    for (size_t i = 0; i < sizeof elsewhere / sizeof *elsewhere; i++)
        if (is_listed(elsewhere[i].names, meant) && (has_model || !elsewhere[i].of_network))
            return elsewhere[i].why;
    return NULL;
}

/* Returns the only name that begins with a word of three letters or more; NULL: none, or
 * several. */
static const char *find_whole(const char *word, const char *(*name)(const void *user, int at),
                              const void *user)
{
    enum { LEAST = 3 };
    const size_t length = strlen(word);
    const char *found = NULL, *candidate;
    for (int at = 0; length >= LEAST && (candidate = name(user, at)) != NULL; at++) {
        if (strncmp(candidate, word, length) != 0)
            continue;
        if (found != NULL)
            return NULL;
        found = candidate;
    }
    return found;
}

const char *ls_suggest(const char *word, const char *(*name)(const void *user, int at),
                       const void *user)
{
    char meant[LONGEST];
    const char *near = NULL, *candidate;
    size_t distance = SIZE_MAX;
    write_as_ours(word, meant);
    for (int i = 0; i < SYNONYMS; i++)
        for (int at = 0;
             strcmp(synonyms[i].theirs, meant) == 0 && (candidate = name(user, at)) != NULL; at++)
            if (strcmp(candidate, synonyms[i].ours) == 0)
                return candidate;
    const char *whole = find_whole(meant, name, user);
    for (int at = 0; whole == NULL && (candidate = name(user, at)) != NULL; at++)
        if (*candidate != '\0' && ls_text_nearer(meant, candidate, &distance))
            near = candidate;
    return whole != NULL ? whole : near;
}
