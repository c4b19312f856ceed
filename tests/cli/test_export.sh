#!/usr/bin/env bash
# Exported networks give the outputs of the network itself in other tools: OpenCV, ONNX Runtime, TensorFlow.js and
# PyTorch, as far as they are installed: trained networks, on 100 rows each. LOCKSTEP_EXPORT_DATA=MNIST.h5 also compares
# the named networks, a regression and two autoencoders, trained on that data set, on all of its test rows: ten minutes.
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"
lockstep=$1
source=$3
outputs=$4
readers=$source/tests/interop
export NODE_MODULES=${LOCKSTEP_NODE_MODULES:-$HOME/.cache/lockstep/node_modules}
python=${PYTHON:-/usr/bin/python3}
tools=0

# Trains a network and exports it: trained NAME DATA ROWS MODEL [OPTION ...]
trained() {
    local name=$1 data=$2 rows=$3 model=$4
    shift 4
    "$lockstep" train --data "$data" --model "$model" --run "run_$name" --batch "${batch:-20}" --quiet "$@" 2>err || cat err
    exported "$name" "run_$name" "$data" "$rows" ''
}
# Exports a network to all formats but those in $without, and adds it to their `cases_FORMAT`, and to `cases_opencv` unless
# $without has opencv. WORDS are for network_outputs.
exported() { # NAME CHECKPOINT DATA ROWS WORDS [OPTION ...]
    local name=$1 checkpoint=$2 data=$3 rows=$4 words=$5 sizes format code
    shift 5
    # shellcheck disable=SC2086
    sizes=$("$outputs" "$checkpoint" "$data" "$rows" "$name" $words)
    check "$name has outputs" [ -n "$sizes" ]
    for format in "${formats[@]}"; do
        [[ " ${without:-} " != *" $format "* ]] || continue
        echo "$name $sizes" >>"cases_$format"
        [ "$format" != onnx ] || [[ " ${without:-} " == *" opencv "* ]] || echo "$name $sizes" >>cases_opencv
        "$lockstep" export --checkpoint "$checkpoint" --out "$name.$format" --check "$name.$format.csv" "$@" >"$name.py" 2>err
        code=$?
        check "$name is exported to $format: $(cat err)" [ $code = 0 ]
    done
}

# Compares all cases in a tool: compare TOOL LIST COMMAND ...
compare() {
    local what=$1 list=$2 code
    shift 2
    "$@" <"cases_$list" >compared 2>&1
    code=$?
    check "$what gives the networks' outputs" [ $code = 0 ]
    cat compared
    tools=$((tools + 1))
}
has_module() { "$python" -c "import $1" 2>/dev/null; }

formats=(onnx h5 safetensors)
if "$lockstep" --version | grep -q 'protobuf-c none'; then
    formats=(h5 safetensors)
    echo "skipped: ONNX: this build has no protobuf-c"
fi
"$lockstep" import --synthetic 600,1,28,28,10 --out grey.h5 2>/dev/null
"$lockstep" import --synthetic 300,3,20,28,5 --out colour.h5 2>/dev/null
"$lockstep" import --synthetic 300,3,8,8,12 --out twelve.h5 2>/dev/null
"$lockstep" import --synthetic 300,12,1,1,4 --out rows.h5 2>/dev/null
for model in mlp lenet5 cnn resnet; do
    trained $model grey.h5 100 $model --epochs 3 --ema 0.9
done
two=(--epochs 2)
fit=(--standardize fit --standardize-targets)
# Each of the first groups is an error that other converters have made: the order of a flattening, padding, epsilon,
# batch normalisation of vectors; the readers check the axis of a softmax, transB, the order of nodes, batches of 1 and 7.
# Windows that 'same' padding would place differently, and a flattening without a word, behind several channels.
trained pads colour.h5 100 "conv:8x5,2,2 relu conv:6x4,1,2 leaky-relu dense:5" "${two[@]}"
# Layers between a flattening and the next dense layer; batch normalisation of vectors.
trained permuted colour.h5 100 "conv:4x3 flatten batchnorm relu dropout:0.2 dense:16 batchnorm gelu dense:5" "${two[@]}"
# Variances near 1e-3, where the epsilon matters.
trained epsilon colour.h5 100 "batchnorm conv:4x3,2 batchnorm tanh avgpool:2 dense:5" --normalize 0.5,10 "${two[@]}"
# Images of several channels in a network that reads rows in the order of the file.
trained planar colour.h5 100 "dense:16 gelu dense:5 softmax" "${two[@]}"
trained planar_join twelve.h5 100 "flatten :a dense:192 +a dense:12" "${two[@]}"
trained planar_flat colour.h5 100 "flatten batchnorm silu dense:5" "${two[@]}"
# Graphs: concatenated channels, a flattened image that is also added, a sum with a pooled image.
trained concat colour.h5 100 "conv:4x3,1,1 :a conv:4x3,1,1 relu &a maxpool:2 conv:8x3 sigmoid globalpool dense:5" "${two[@]}"
trained join colour.h5 100 "conv:2x3,4 silu flatten :a dense:70 +a &a dense:5" "${two[@]}"
trained pooled colour.h5 100 "conv:6x3 batchnorm :a globalpool :g @a maxpool:2 dense:6 +g relu dense:5" "${two[@]}"
# Outputs that are pixels of an image.
trained pixels twelve.h5 100 "conv:3x5,2" "${two[@]}"
trained flattened twelve.h5 100 "conv:3x5,2 flatten dropout:0.1 softmax" "${two[@]}"
# Other losses, and rows that are vectors.
trained mse colour.h5 100 "dense:16 relu dense:5 softmax" --loss mse "${two[@]}"
trained mse_sigmoid colour.h5 100 "dense:16 tanh dropout:0.1 dense:5 sigmoid" --loss mse "${two[@]}"
trained vector rows.h5 100 "dense:8 relu batchnorm dense:4" --layout nchw "${two[@]}"
# Images made of vectors, and made larger; a window below the stride, which Keras places with zeros behind it. OpenCV 4.6
# computes a batch normalisation behind a transposed convolution wrongly for other numbers of rows than the first.
without=opencv trained larger colour.h5 100 \
    "dense:24 leaky-relu:0.2 reshape:6x2x2 deconv:5x4,2,1 batchnorm relu deconv:3x2,3 noise:0.1 tanh conv:4x5,2 dense:5" \
    "${two[@]}"
trained larger_graph twelve.h5 100 \
    "conv:4x3,2 :a upsample:3 conv:4x3,3,1 +a deconv:5x3,1,1 :b deconv:5x3,2 maxpool:2 &b relu dense:12" "${two[@]}"
trained vector_larger rows.h5 100 ":z reshape:12x1x1 deconv:3x4 leaky-relu :a @z reshape:3x2x2 upsample:2 &a \
    deconv:2x4,2,1 sigmoid flatten dense:4" --layout nchw "${two[@]}"
# Sequences, trained at a rate that takes biases away from 0. OpenCV 4.6 reads no recurrent layer for more than one row,
# and no layer normalisation; TensorFlow.js no causal conv1d; Keras has not all layers.
far=(--optimizer adam --lr 0.01 "${two[@]}")
without=opencv trained steps grey.h5 100 "rnn:12,all lstm:10,all,both gru:8,reverse dense:10" "${far[@]}"
without=opencv trained steps_colour colour.h5 100 "gru:10,all,both rnn:6,both,all last dense:5" "${far[@]}"
without='opencv h5' trained steps_reverse colour.h5 100 \
    "lstm:12,reverse,all layernorm gru:6,all,reverse maxpool dense:5" "${far[@]}"
without='opencv h5' trained steps_attention grey.h5 100 \
    "position attention:4 layernorm dense:16 gelu :a attention:2,causal +a batchnorm meanpool dense:10" "${far[@]}"
without=opencv trained steps_position grey.h5 100 \
    "position layernorm dense:16 gelu :a rnn:16,all +a batchnorm &a dropout:0.1 meanpool dense:10" "${far[@]}"
without=opencv trained steps_images colour.h5 100 "conv:4x3 relu maxpool:2 layernorm lstm:8 dense:5" "${far[@]}"
without=opencv trained steps_flat colour.h5 100 "conv:4x3 flatten layernorm dense:8 relu dense:5" "${far[@]}"
without=opencv trained steps_pixels colour.h5 100 \
    "conv:4x3,2 maxpool:2 sequence:pixels conv1d:6x4 batchnorm relu conv1d:4x3 globalpool dense:5" "${far[@]}"
without='opencv h5' trained steps_permuted colour.h5 100 \
    "conv:4x3,2 maxpool:2 sequence:permuted,3 conv1d:6x4,causal relu lstm:8 dense:5" "${far[@]}"
without=opencv trained steps_flatten colour.h5 20 "rnn:6,all flatten layernorm dense:5" "${far[@]}"
without=opencv trained vector_steps rows.h5 100 "lstm:8 dense:4" --layout nchw "${far[@]}"
# Tokens: a class of each row, and the next token in each step.
head -c 6000 "$source/README.md" >text.txt
"$lockstep" import --text text.txt --characters --steps 12 --out characters.h5 2>err || cat err
characters=$("$lockstep" info characters.h5 --json | sed 's/.*"classes":\([0-9]*\).*/\1/')
without='opencv h5' trained tokens_steps characters.h5 20 \
    "embedding:8 position :a attention:2,causal +a layernorm lstm:12,all dense:$characters" "${far[@]}"
without=opencv trained tokens_states characters.h5 20 "embedding:8 gru:8,all dense:$characters softmax" "${far[@]}"
awk 'BEGIN {
    srand(1)
    print "text,label"
    for (row = 0; row < 200; row++) {
        text = ""
        for (word = 3 + int(rand() * 8); word > 0; word--) text = text " w" int(rand() * 20 + (row % 2) * 10)
        print text "," (row % 2 ? "b" : "a")
    }
}' >documents.csv
"$lockstep" import --text documents.csv --text-column text --target label --out documents.h5 2>err || cat err
without=opencv trained tokens documents.h5 100 "embedding:8 lstm:8,both dense:12 relu dense:2" "${far[@]}"
check "a line on stderr tells of tokens" has err 'takes 10 tokens, whole numbers$'
# Rows with lengths, which ONNX networks can take: each kind of layer that must leave out the steps beyond them.
with_lengths() { # NAME MODEL
    without='opencv h5 safetensors onnx' trained "$1" documents.h5 100 "$2" "${far[@]}"
    without='opencv h5 safetensors' exported "$1" "run_$1" documents.h5 100 'lengths' --lengths
    cp err lengths.err
}
with_lengths tokens_lengths_last "embedding:8 lstm:12,all,both gru:8,reverse,all rnn:6,all last dense:2"
with_lengths tokens_lengths_state "embedding:8 position attention:4 gru:12,both dense:2"
with_lengths tokens_lengths_mean "embedding:8 layernorm :a attention:2,causal +a conv1d:8x4 meanpool dense:2"
with_lengths tokens_lengths_maximum "embedding:8 conv1d:8x3 attention:2 rnn:9,reverse,all maxpool dense:2"
# A class of each step, with lengths: the steps that count, in ONNX with lengths; in PyTorch, where steps that come after
# change nothing, without.
if has_module h5py; then
    "$python" - <<'PYTHON'
import h5py, numpy
random = numpy.random.default_rng(1)
rows, steps, words = 150, 9, 20
lengths = random.integers(1, steps + 1, rows)
x = numpy.where(numpy.arange(steps) < lengths[:, None], random.integers(1, words, (rows, steps)), 0)
with h5py.File("tags.h5", "w") as file:
    file.attrs.update(format="lockstep-dataset", version=1, classes=4)
    for group, part in (("train", slice(0, 100)), ("test", slice(100, rows))):
        file[group + "/inputs"] = x[part].astype("u1")
        file[group + "/labels"] = (numpy.cumsum(x, 1) % 4)[part].astype("u1")
        file[group + "/lengths"] = lengths[part]
    file["vocabulary"] = ["word %d" % i for i in range(words)]
PYTHON
    tagged() { # NAME MODEL
        without='opencv h5 safetensors onnx' trained "$1" tags.h5 50 "$2" "${far[@]}"
        without='opencv h5 safetensors' exported "$1" "run_$1" tags.h5 50 lengths --lengths
    }
    tagged tokens_lengths_each_both "embedding:8 lstm:12,all,both :a attention:2 +a layernorm gru:8,all,reverse rnn:6,all,both dense:4"
    tagged tokens_lengths_each_after "embedding:8 position attention:4,causal conv1d:8x3,causal gelu lstm:12,all gru:8,all dense:4 softmax"
    without='opencv h5 onnx' exported tokens_lengths_each_after run_tokens_lengths_each_after tags.h5 50 lengths
else
    echo "skipped: classes of steps with lengths: python3-h5py is not installed"
fi
# Autoencoders: outputs are in the order of the format's inputs, and in their units.
reconstructs=(--targets inputs "${two[@]}")
trained inputs_grey grey.h5 100 "dense:64 relu dense:784" "${reconstructs[@]}" --loss bce
trained inputs_planar twelve.h5 100 "dense:16 tanh dense:192" "${reconstructs[@]}"
trained inputs_colour twelve.h5 100 "conv:4x3 batchnorm relu dense:192" "${reconstructs[@]}" --standardize fit
# Variational autoencoders: the mean of the latent variables is decoded. The encoder has their means and log variances,
# the decoder reads latent variables.
variational=(--objective vae "${two[@]}")
trained inputs_vae twelve.h5 100 "conv:4x3 relu dense:12 gaussian dense:24 relu dense:192" "${variational[@]}"
exported encoder_values run_inputs_vae twelve.h5 100 encoder --part encoder
if has_module h5py; then
    # Inputs far from 0: mean 2000 and standard deviation 3.
    "$python" - <<'PYTHON'
import h5py, numpy
random = numpy.random.default_rng(0)
labels = random.integers(0, 3, 300)
with h5py.File("numbers.h5", "w") as file:
    file.attrs.update(format="lockstep-dataset", version=1, classes=3)
    file["train/inputs"] = (random.normal(2000, 3, (300, 6)) + labels[:, None]).astype("f4")
    file["train/labels"] = labels

x = random.normal(2000, 3, (300, 6)).astype("f4")
x[:, 3] = 1e4 * x[:, 0]
z = (x[:, :3] - 2000) / 3


def write(name, inputs, part, targets, **attributes):
    with h5py.File(name, "w") as file:
        file.attrs.update(format="lockstep-dataset", version=1, **attributes)
        file["train/inputs" if inputs.ndim == 2 else "train/images"] = inputs
        file["train/" + part] = targets


write("latent.h5", random.normal(0, 1, (300, 6)).astype("f4"), "labels", labels, classes=3)
write("values.h5", x, "targets", (z * [300, 0.01, 2] + [1e5, 0.02, -5]).astype("f4"))
write("labels.h5", x, "targets", (z > 0.3).astype("u1"))
write("two.h5", x, "labels", (z[:, 0] > z[:, 1]).astype("i4"), classes=2)
images = random.normal(2000, 3, (300, 3, 9, 12)).astype("f4")
bright = images.reshape(300, 3, -1).mean(2) - 2000
write("images.h5", images, "targets", (bright[:, :2] * [1000, 1e-3]).astype("f4"))
write("grey_images.h5", images[:, :1], "targets", bright[:, :1].astype("f4"))
PYTHON
    trained vector_numbers numbers.h5 100 "dense:8 relu dense:3" --normalize 2000,3 "${two[@]}"
    # Values of any magnitude, of vectors and of images; two classes with one output; several labels.
    trained vector_values values.h5 100 "dense:16 batchnorm tanh dense:3" "${fit[@]}" --epochs 5
    trained image_values images.h5 100 "conv:4x3,2 batchnorm relu dense:8 gelu dense:2" "${fit[@]}" --epochs 3
    trained grey_values grey_images.h5 100 "conv:4x3,2,1 relu dense:1" "${fit[@]}" "${two[@]}" # one number is scale and shift
    trained vector_inputs_values values.h5 100 "dense:3 dense:6" "${reconstructs[@]}" --standardize fit
    trained vector_huber_values values.h5 100 "dense:16 tanh dense:3" "${fit[@]}" --loss huber:0.5 --ema 0.9 --epochs 3
    trained vector_two two.h5 100 "dense:8 relu dense:1" --standardize fit --loss bce --epochs 3
    trained vector_labels labels.h5 100 "dense:8 relu dense:3" --standardize fit --loss bce --epochs 3
    trained vector_values_vae values.h5 100 "dense:8 relu dense:12 gaussian dense:16 relu dense:6" --standardize fit "${variational[@]}"
    exported vector_values_encoder run_vector_values_vae values.h5 100 encoder --part encoder
    exported vector_values_decoder run_vector_values_vae latent.h5 100 decoder --part decoder
    exported vector_values_bytes_decoder run_inputs_vae latent.h5 100 decoder --part decoder
    exported vector_bce_logits run_vector_labels labels.h5 50 'logits' --logits
    exported vector_fit_values run_vector_values values.h5 50 'normalized' --input normalized
else
    echo "skipped: inputs that are no pixels: python3-h5py is not installed"
fi
# Options.
exported logits run_cnn grey.h5 50 'logits' --logits
exported plain run_planar colour.h5 50 'logits normalized' --logits --input normalized
exported normalized run_resnet grey.h5 50 'normalized' --input normalized
exported inputs_logits run_inputs_grey grey.h5 20 'logits' --logits
exported latest run_lenet5 grey.h5 50 'raw' --raw
if [ -n "${LOCKSTEP_EXPORT_DATA:-}" ]; then
    for model in mlp lenet5 cnn resnet; do
        batch=128 trained whole_$model "$LOCKSTEP_EXPORT_DATA" 1000000 $model --epochs 1
    done
    batch=128 trained whole_mse "$LOCKSTEP_EXPORT_DATA" 1000000 "conv:8x5,2 gelu dense:10" --loss mse --epochs 1
    batch=128 trained whole_values "$LOCKSTEP_EXPORT_DATA" 1000000 "conv:8x5,2 relu dense:1" --inputs train/images \
        --targets train/labels --test-rows last:10000 --loss mse "${fit[@]}" --epochs 1
    batch=128 trained whole_inputs "$LOCKSTEP_EXPORT_DATA" 1000000 "dense:64 relu dense:784" --targets inputs --epochs 1
    batch=128 trained whole_inputs_fit "$LOCKSTEP_EXPORT_DATA" 1000000 "conv:8x5,2 relu dense:784" --targets inputs \
        --standardize fit --epochs 1
fi

if [ "${formats[0]}" = onnx ]; then
    if has_module onnx; then
        "$python" "$readers/read_onnx.py" ./*.onnx >compared 2>&1
        code=$?
        check "onnx.checker accepts the networks: $(tail -n 3 compared)" [ $code = 0 ]
    else
        echo "skipped: onnx.checker: python3-onnx is not installed"
    fi
    if has_module cv2; then
        compare OpenCV opencv "$python" "$readers/read_opencv.py"
    else
        echo "skipped: OpenCV: python3-opencv is not installed"
    fi
    if [ -d "$NODE_MODULES/onnxruntime-node" ]; then
        compare "ONNX Runtime" onnx node "$readers/read_onnxruntime.js"
    else
        echo "skipped: ONNX Runtime: no onnxruntime-node in $NODE_MODULES"
    fi
fi
if [ -d "$NODE_MODULES/@tensorflow/tfjs" ] && [ -d "$NODE_MODULES/h5wasm" ]; then
    compare TensorFlow.js h5 node "$readers/read_tfjs.js"
else
    echo "skipped: TensorFlow.js: no @tensorflow/tfjs and h5wasm in $NODE_MODULES"
fi
if has_module torch; then
    compare PyTorch safetensors "$python" "$readers/read_torch.py"
else
    echo "skipped: PyTorch: python3-torch is not installed"
fi
echo "compared in $tools tools"

# The files.
check "no temporary file is left" [ -z "$(ls ./*.tmp 2>/dev/null)" ]
check "a chain is an nn.Sequential" has mlp.py '^net = nn.Sequential'
check "averaged and latest parameters differ" [ "$(tail -c 4000 lenet5.safetensors | md5sum)" != "$(tail -c 4000 latest.safetensors | md5sum)" ]
check "a graph has a forward() of its own" has resnet.py '^class Net\(nn.Sequential\):$'
cp mlp.safetensors before.safetensors
"$lockstep" export --checkpoint run_mlp --out mlp.safetensors >again.py 2>err
check "an export again gives the same bytes" cmp mlp.safetensors before.safetensors
check "a line on stderr names the file, the checkpoint and the input" has err \
    '^mlp.safetensors: safetensors of run_mlp/checkpoints/best, epoch 3, averaged parameters; takes 1x28x28 pixels from 0 to 255$'
"$lockstep" export --checkpoint run_mlp --out network --format keras 2>err
check "--format chooses the format" cmp network mlp.h5
for format in "${formats[@]}"; do
    echo precious >"note.$format"
    refuses 2 "note.$format: this file exists and is not of type" "$lockstep" export --checkpoint run_mlp --out "note.$format"
    check "a foreign .$format is not overwritten" has "note.$format" '^precious$'
    mkdir -p "folder.$format"
    refuses 2 "folder.$format: this file exists and is not of type" "$lockstep" export --checkpoint run_mlp --out "folder.$format"
    refuses 1 'nowhere: no such folder' "$lockstep" export --checkpoint run_mlp --out "nowhere/net.$format"
    : >"empty.$format"
    "$lockstep" export --checkpoint run_mlp --out "empty.$format" >again.py 2>err
    check "an empty .$format is overwritten" cmp "empty.$format" "mlp.$format"
done
mkfifo pipe.safetensors
refuses 2 'pipe.safetensors: this file exists and is not of type' "$lockstep" export --checkpoint run_mlp --out pipe.safetensors
cp grey.h5 data.h5
refuses 2 'data.h5: this file exists and is not of type Keras model' "$lockstep" export --checkpoint run_mlp --out data.h5
check "a data set is not overwritten" cmp grey.h5 data.h5
if has_module h5py; then
    "$python" -c 'import h5py; h5py.File("other.h5", "w")["x"] = [1.0]'
    refuses 2 'other.h5: this file exists and is not of type Keras model' "$lockstep" export --checkpoint run_mlp --out other.h5
fi
head -c 3000 mlp.h5 >damaged.h5
refuses 2 'damaged.h5: this file exists and is not of type Keras model' "$lockstep" export --checkpoint run_mlp --out damaged.h5
refuses 2 'note.h5: this file exists and is not of type CSV' "$lockstep" export --checkpoint run_mlp --out new.h5 --check note.h5
check "a refused check writes no network" [ ! -e new.h5 ]
refuses 2 'net.bin: the extension must be .onnx, .h5 or .safetensors' "$lockstep" export --checkpoint run_mlp --out net.bin
refuses 2 "net.keras: this is the extension of Keras' zip format" "$lockstep" export --checkpoint run_mlp --out net.keras
refuses 2 "'attention:4': this layer can't be exported to .h5: Keras has no such layer with these parameters" \
    "$lockstep" export --checkpoint run_steps_attention --out net.h5
refuses 2 "'lstm:12,reverse,all': this layer can't be exported to .h5: Keras gives the states in reverse order" \
    "$lockstep" export --checkpoint run_steps_reverse --out net.h5 --check new.csv
refuses 2 "'sequence:permuted,3': this layer can't be exported to .h5: Keras has no layer that reorders steps" \
    "$lockstep" export --checkpoint run_steps_permuted --out net.h5
check "a refused network has no check" [ ! -e new.csv ]
refuses 2 '--lengths: only ONNX networks can take lengths' "$lockstep" export --checkpoint run_steps --out net.h5 --lengths
if [ "${formats[0]}" = onnx ]; then
    refuses 2 '--lengths: the network reads no sequences' "$lockstep" export --checkpoint run_mlp --out net.onnx --lengths
    refuses 2 "'conv1d:6x4': reads sequences of 24 steps" "$lockstep" export --checkpoint run_steps_pixels --out net.onnx --lengths
    refuses 2 "--lengths: 'flatten1' also reads the steps beyond them" "$lockstep" export --checkpoint run_steps_flatten \
        --out net.onnx --lengths
    check "a line on stderr tells of lengths" has lengths.err 'takes 10 tokens, whole numbers, and lengths$'
fi
refuses 2 '--logits: the network has none: its loss is mse' "$lockstep" export --checkpoint run_mse --out net.h5 --logits
refuses 2 "'export' runs on one process" mpirun -n 2 "$lockstep" export --checkpoint run_mlp --out net.h5
refuses 3 'nowhere' "$lockstep" export --checkpoint nowhere --out net.h5
head -c 20000 run_mlp/checkpoints/best >damaged_checkpoint.h5
refuses 3 'damaged_checkpoint.h5' "$lockstep" export --checkpoint damaged_checkpoint.h5 --out net.h5
check "a refused export writes nothing" [ ! -e net.h5 ]
[ "${formats[0]}" = onnx ] || refuses 1 "this build can't write ONNX: protobuf-c was not found" "$lockstep" export --checkpoint run_mlp --out net.onnx
finish
