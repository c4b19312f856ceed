#!/usr/bin/env bash
# The formats that `import` reads: content, names of classes, a short training, damaged files.
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"
lockstep=$1
make() { "$python" "$(dirname "$0")/make_sources.py" "$@"; }
need_python h5py

# Succeeds if an expression about an HDF5 file `f` is true: holds FILE EXPRESSION
# shellcheck disable=SC2317
holds() { "$python" -c 'import h5py, numpy as np, sys
f = h5py.File(sys.argv[1], "r")
sys.exit(not eval(sys.argv[2]))' "$@"; }
# Imports and trains an epoch: trains NAME OUTPUTS IMPORT_OPTION ...
trains() {
    local name=$1 outputs=$2
    shift 2
    check "import $*" "$lockstep" import "$@" --out "$name.h5" 2>err
    check "a network trains on $name" "$lockstep" train --data "$name.h5" --model "dense:8 relu dense:$outputs" --epochs 1 --batch 16 --validation 0 --run "run_$name" 2>train_err
}
# Imports a damaged source, which is refused and leaves nothing: damaged PATTERN OPTION ...
damaged() {
    refuses 3 "$1" "$lockstep" import "${@:2}" --out damaged.h5
    check "nothing is left of a refused import" [ -z "$(find . -maxdepth 1 -name 'damaged.h5*')" ]
}

# CIFAR-10: the files are joined in order, channels first.
make cifar10 c10
"$lockstep" import --cifar c10 --out c10.h5 2>err
check "CIFAR-10 has the rows of all files" has err '120 training and 60 test rows of 3x32x32, 10 classes'
check "CIFAR-10 has the pixels of its records" holds c10.h5 'f["train/images"].shape == (120, 3, 32, 32) and (f["train/images"][61].tobytes() == open("c10/data_batch_2.bin", "rb").read()[3073 + 1:2 * 3073]) and f["train/labels"][61] == 1'
check "CIFAR-10 has its classes' names" holds c10.h5 'f.attrs["class_names"][9] == b"truck" and len(f.attrs["class_names"]) == 10'
"$lockstep" info c10.h5 >out
check "info shows the names of classes" has out 'class_names +\["airplane", ?"automobile"'
trains c10a 10 --cifar c10 --limit 70 --limit-test 30
check "--limit and --limit-test cut the rows" holds c10a.h5 'len(f["train/labels"]) == 70 and len(f["test/labels"]) == 30'
cp c10.h5 again.h5
check "an import can be repeated" "$lockstep" import --cifar c10 --out c10.h5 2>/dev/null
check "and gives the same bytes" cmp c10.h5 again.h5
sed -i s/truck/lorry/ c10/batches.meta.txt
refuses 2 'c10.h5: a data set of different content exists' "$lockstep" import --cifar c10 --out c10.h5
make cifar100 c100
trains c100 100 --cifar c100
check "CIFAR-100 has the fine labels" holds c100.h5 'f.attrs["classes"] == 100 and f["train/labels"][7] == 7 and f.attrs["class_names"][7] == b"fine7"'
trains coarse 20 --cifar c100 --coarse
check "--coarse has the coarse labels" holds coarse.h5 'f.attrs["classes"] == 20 and f["train/labels"][7] == 1 and f.attrs["class_names"][1] == b"coarse1"'
refuses 2 'coarse: c10 has CIFAR-10' "$lockstep" import --cifar c10 --coarse --out x.h5
refuses 2 'leave out --classes' "$lockstep" import --cifar c10 --classes 11 --out x.h5
damaged 'c10h: has neither data_batch_1.bin .CIFAR-10. nor train.bin' --cifar "$(mkdir c10h && echo c10h)"
damaged 'nowhere: can.t open this folder' --cifar nowhere
head -c 5000 c10/data_batch_1.bin >c10h/data_batch_1.bin
damaged 'data_batch_1.bin: truncated or not of CIFAR-10: its size of 5000 bytes' --cifar c10h
printf '\x0a' | cat - <(head -c 3072 c10/data_batch_1.bin) >c10h/data_batch_1.bin
damaged 'data_batch_1.bin: label 10 in row 0: damaged, or not of CIFAR-10' --cifar c10h
cp c10/data_batch_1.bin c10h
echo cat >c10h/batches.meta.txt
damaged 'batches.meta.txt: has the names of 1 classes, not of 10' --cifar c10h

# EMNIST: images are set upright, letters count from 1.
make emnist em
trains em 26 --emnist em
check "EMNIST's images are set upright" holds em.h5 '(lambda raw: (f["train/images"][3] == np.frombuffer(raw, np.uint8, offset=16).reshape(-1, 28, 28)[3].T).all())(__import__("gzip").open("em/emnist-letters-train-images-idx3-ubyte.gz").read())'
check "EMNIST's letters count from 0, and have names" holds em.h5 'f["train/labels"][3] == 3 and f.attrs["classes"] == 26 and f.attrs["class_names"][3] == b"Dd"'
check "a split can be named" "$lockstep" import --emnist em,letters --out em.h5 2>/dev/null
damaged 'em: has no file emnist-digits-train-images-idx3-ubyte' --emnist em,digits
mkdir two
for stem in letters digits; do
    for file in train-images-idx3 train-labels-idx1 test-images-idx3 test-labels-idx1; do
        cp em/emnist-letters-$file-ubyte.gz two/emnist-$stem-$file-ubyte.gz
    done
done
refuses 2 'two: has EMNIST.s splits digits and letters: give --emnist two,digits' "$lockstep" import --emnist two --out x.h5
check "the other splits count from 0" "$lockstep" import --emnist two,digits --out digits.h5 2>/dev/null
check "and keep their labels" holds digits.h5 'f["train/labels"][3] == 4 and "class_names" not in f.attrs'
cp -r em emh
gzip -dc em/emnist-letters-train-images-idx3-ubyte.gz | head -c 3000 >emh/emnist-letters-train-images-idx3-ubyte
damaged 'train-images-idx3-ubyte: its header claims 81536 elements' --emnist emh
rm emh/emnist-letters-train-images-idx3-ubyte
echo '27 300' >>emh/emnist-letters-mapping.txt
damaged "mapping.txt: '27 300' is not '27' and one or two codes" --emnist emh
printf '1 65\n' >emh/emnist-letters-mapping.txt
damaged 'mapping.txt: has fewer than 2 classes' --emnist emh
gzip -dc em/emnist-letters-train-labels-idx1-ubyte.gz | tr '\001' '\000' | sed '1s/^\x00\x00\x08\x00/\x00\x00\x08\x01/' >emh/emnist-letters-train-labels-idx1-ubyte
rm emh/emnist-letters-mapping.txt
damaged 'train-labels-idx1-ubyte: label -1 in row 0 is negative' --emnist emh

# Folders of pictures.
make pictures p
trains grey 3 --png p/grey
check "a folder of grey pictures has three splits of grey images" holds grey.h5 'f["train/images"].shape == (60, 9, 8) and f["validation/images"].shape == f["test/images"].shape == (60, 9, 8)'
check "folders are classes" holds grey.h5 '(f["test/labels"][:] == np.repeat([0, 1, 2], 20)).all() and f.attrs["class_names"][2] == b"zebra"'
check "import reports validation rows" has err '60 training, 60 validation and 60 test rows of 1x9x8, 3 classes'
damaged 'p/mixed/red/b.PNG: has 12 x 8 pixels, but p/mixed/red/a.png has 6 x 4: give --resize' --png p/mixed
trains mixed 2 --png p/mixed --resize 3x2
check "pictures of any size and kind become images of one shape" holds mixed.h5 'f["train/images"].shape == (4, 3, 3, 2) and [int(v) for v in f["train/images"][1, :, 1, 1]] == [245, 20, 20] and (f["train/images"][2:] == 255).all()'
refuses 2 "resize: '3' is not HxW" "$lockstep" import --png p/mixed --resize 3 --out x.h5
refuses 2 'resize belongs to --png, not to --cifar' "$lockstep" import --cifar c10 --resize 3x3 --out x.h5
refuses 2 'cifar and --png: give one source' "$lockstep" import --cifar c10 --png p --out x.h5
mkdir p/grey/test/lion
damaged 'p/grey/test/lion: there is no such class' --png p/grey
rmdir p/grey/test/lion
head -c 60 p/grey/test/dog/003.png >p/grey/test/dog/004.png
damaged 'p/grey/test/dog/004.png: damaged PNG' --png p/grey
echo text >p/grey/test/dog/004.png
damaged 'p/grey/test/dog/004.png: not a PNG file' --png p/grey
rm p/grey/test/dog/004.png
cp -r p/grey p/more
touch p/more/train/dog/{a.jpg,b.jpeg} p/more/test/dog/.hidden
mkdir p/more/train/aardvark
"$lockstep" import --png p/more --out more.h5 2>err
check "files of other kinds are counted: $(cat err)" has err '^note: 3 files of other kinds than PNG left out: p/more/train/cat/notes.txt, ...$'
check "a class without pictures is named" has err '^note: classes: class 0 \(aardvark\) has no rows$'
"$lockstep" train --data more.h5 --model dense:4 --epochs 1 2>err
check "train names it, too" has err 'class 0 \(aardvark\) has no rows'
mkdir -p p/one/a p/jpeg/{a,b}
damaged 'p/one: has 1 folder: expected 2' --png p/one
touch p/jpeg/{a,b}/x.jpg
damaged 'p/jpeg/a: has no PNG files; x.jpg must be converted' --png p/jpeg
damaged 'nowhere: can.t open this folder' --png nowhere

# Tables in text.
cat >iris.csv <<'END'
sepal length,"sepal, width",species , petal
5.1,3.5, setosa,1.4
4.9,3.0,versicolor,-2e-1

6.2,"2.9",setosa , 4.3
"5.9",3,"virginica",+5.1
END
trains iris 3 --csv iris.csv --target species
check "a column of texts has classes by name" holds iris.h5 'list(f["train/labels"]) == [0, 1, 0, 2] and list(f.attrs["class_names"]) == [b"setosa", b"versicolor", b"virginica"]'
check "the other columns are the inputs" holds iris.h5 '(f["train/inputs"][:] == np.array([[5.1, 3.5, 1.4], [4.9, 3, -.2], [6.2, 2.9, 4.3], [5.9, 3, 5.1]], "f4")).all()'
check "import reports numbers" has err '4 training and 0 test rows of 3 numbers, 3 classes'
printf '\xef\xbb\xbf1;2;0\r\n3;4;1\r\n5;6;1' >plain.csv
"$lockstep" import --csv plain.csv --csv-test plain.csv --target 3 --out plain.h5 2>/dev/null
check "a table needs no header" holds plain.h5 'list(f["train/labels"]) == [0, 1, 1] and f["test/inputs"][2].tolist() == [5, 6]'
"$lockstep" import --csv plain.csv --target 3 --values --out values.h5 2>err
check "integers can be values" holds values.h5 'f["train/targets"][:].tolist() == [[0], [1], [1]] and "classes" not in f.attrs'
check "import reports values" has err '3 training and 0 test rows of 2 numbers, 1 value'
check "info shows values" has <("$lockstep" info values.h5) 'values +1$'
"$lockstep" import --csv plain.csv --target 3,1 --out two.h5 2>/dev/null
check "several columns are values, in the order of --target" holds two.h5 'f["train/targets"][:].tolist() == [[0, 1], [1, 3], [1, 5]] and f["train/inputs"].shape == (3, 1)'
printf '1.000e+00\t0.5\n0.000e+00\t0.25\n' | gzip >higgs.csv.gz
"$lockstep" import --csv higgs.csv.gz --target 1 --out higgs.h5 2>/dev/null
check "floats are values" holds higgs.h5 'f["train/targets"][:].tolist() == [[1], [0]]'
"$lockstep" import --csv higgs.csv.gz --target 1 --classes 2 --out classes.h5 2>/dev/null
check "with --classes whole floats are classes" holds classes.h5 'f["train/labels"][:].tolist() == [1, 0]'
"$lockstep" import --csv plain.csv --target 3 --limit 1 --csv-test plain.csv --limit-test 2 --out limited.h5 2>/dev/null
check "limits cut the rows, not the classes" holds limited.h5 'f["train/labels"].shape == (1,) and f["test/labels"].shape == (2,) and f.attrs["classes"] == 2'
table() { printf '%b' "$1" >table.csv; } # TEXT
table 'a,b,y\n1,2,0\n3,,1\n' && damaged 'table.csv: line 3, column 2 .b.: no value' --csv table.csv --target y
table 'a,b,y\n1,2,0\n3,x,1\n' && damaged "table.csv: line 3, column 2 .b.: 'x' is not a number" --csv table.csv --target y
table 'a,b,y\n1,2,0\n3,nan,1\n' && damaged "table.csv: line 3, column 2 .b.: 'nan' is not finite" --csv table.csv --target y
table 'a,b,y\n1,2,0\n3,1e39,1\n' && damaged "'1e39' is too large for float32" --csv table.csv --target y
table 'a,b,y\n1,2,0\n3,1\n' && damaged 'table.csv: line 3 has 2 fields, not 3' --csv table.csv --target y
table 'a,y\n1,0\n2,?\n' && damaged "table.csv: line 3, column 2 .y.: '.' is not a number, unlike the rows before" --csv table.csv --target y
table 'a,y\n1,0\n2,\n' && damaged 'table.csv: line 3, column 2 .y.: no value' --csv table.csv --target y
table 'a,y\n1,-1\n2,1\n' && damaged 'the target column has -1, and classes count from 0: give --values' --csv table.csv --target y
table 'a,y\n1,1985\n2,2001\n' && damaged 'has integers up to 2001 in 2 rows: give --values' --csv table.csv --target y
table 'a,y\n1,0\n2,7\n' && damaged 'has 7: too large for --classes 3' --csv table.csv --target y --classes 3
table 'a,y\n1,x\n2,x\n' && damaged "all rows have the same class, 'x'" --csv table.csv --target y
table 'a,y\n1,"x\n2,x\n' && damaged 'table.csv: line 2: a quote that is not closed' --csv table.csv --target y
table 'a,y\n1,"x"y\n' && damaged 'table.csv: line 2: text behind a closing quote' --csv table.csv --target y
table 'a,y\n1,\00002\n' && damaged 'table.csv: line 2: a zero byte: not a text file' --csv table.csv --target y
table 'y\n1\n' && damaged 'has no columns beside the targets' --csv table.csv --target y
table 'a,y\n' && damaged 'table.csv: has no rows' --csv table.csv --target y
table '' && damaged 'table.csv: is empty' --csv table.csv --target y
printf 'a,y\n1,0\n2,1\n' >plain3.csv
table 'a,z\n1,0\n2,1\n' && damaged "table.csv: column 2 is 'z', but 'y' in the training file" --csv plain3.csv --csv-test table.csv --target y
table 'a,y\n1,k\n2,l\n' && cp table.csv other.csv && table 'a,y\n1,k\n2,m\n' && damaged "table.csv: line 3, column 2 .y.: 'm' is no class of the training rows" --csv other.csv --csv-test table.csv --target y
head -c 30 higgs.csv.gz >cut.csv.gz
damaged 'cut.csv.gz: truncated' --csv cut.csv.gz --target 1
damaged 'none.csv: can.t open' --csv none.csv --target 1
refuses 2 "has no column 'kind' for --target" "$lockstep" import --csv iris.csv --target kind --out x.h5
refuses 2 'target must name the column' "$lockstep" import --csv iris.csv --out x.h5
refuses 2 "names column 'species' twice" "$lockstep" import --csv iris.csv --target species,species --out x.h5
refuses 2 'classes 4: the targets are classes by name' "$lockstep" import --csv iris.csv --target species --classes 4 --out x.h5

# NumPy's arrays.
make arrays np
trains grid 4 --npy np/images.npy,np/labels.npy --npy-test np/images.npy,np/labels.npy
check "arrays become images and labels" holds grid.h5 '(f["train/images"][:] == np.load("np/images.npy")).all() and (f["test/labels"][:] == np.load("np/labels.npy")).all()'
for array in np/x_*.npy; do
    "$lockstep" import --npy "$array,np/labels_column.npy" --out types.h5 --force 2>/dev/null
    check "$array keeps its numbers and type" holds types.h5 "(lambda a: (f['train/inputs'][:] == a).all() and f['train/inputs'].dtype == a.dtype.newbyteorder('<'))(np.load('$array'))"
done
"$lockstep" import --npy np/images_columns.npy,np/bool.npy --out columns.h5 2>/dev/null
check "arrays by columns and bool labels are read" holds columns.h5 '(f["train/images"][:] == np.load("np/images.npy")).all() and f["train/labels"][:].tolist() == [0, 0, 1, 1] * 10'
"$lockstep" import --npy np/x_bf8.npy,np/values.npy --out fits.h5 2>/dev/null
check "floats are values" holds fits.h5 '(f["train/targets"][:, 0] == np.load("np/values.npy").astype("f4")).all()'
"$lockstep" import --npy np/x_lf4.npy,np/onehot.npy --out hot.h5 2>/dev/null
check "several integers are values" holds hot.h5 'f["train/targets"].shape == (40, 4) and "classes" not in f.attrs'
"$lockstep" import --npy np/x_lf4.npy,np/labels.npy --values --out numbers.h5 2>/dev/null
check "integers can be values" holds numbers.h5 'f["train/targets"][5].tolist() == [1]'
for file in stored deflated; do
    trains $file 4 --npz np/$file.npz
    check "$file.npz has both splits" holds $file.h5 '(f["train/images"][:] == np.load("np/images.npy")[:30]).all() and (f["test/labels"][:] == np.load("np/labels.npy")[30:]).all()'
done
trains med 4 --npz np/med.npz --limit 20 --limit-test 5
check "other usual names are known, and validation rows" holds med.h5 'f["train/images"].shape[0] == 20 and f["validation/images"].shape[0] == 9 and f["test/labels"].shape == (5,)'
"$lockstep" import --npz np/own.npz --members inputs,outputs --out own.h5 2>/dev/null
check "arrays can be named" holds own.h5 'f["train/inputs"].dtype == np.float64 and f["train/targets"].shape == (40, 2)'
damaged 'own.npz: has no arrays x_train and y_train, but inputs.npy, outputs.npy: give --members' --npz np/own.npz
damaged 'own_nan.npz: x.npy: is NaN in row 7, column 2' --npz np/own_nan.npz
damaged "own.npz: has no array 'other'" --npz np/own.npz --members inputs,other
refuses 2 "members: 'inputs' is not X,Y" "$lockstep" import --npz np/own.npz --members inputs --out x.h5
refuses 2 "npy: 'np/images.npy' is not X,Y" "$lockstep" import --npy np/images.npy --out x.h5
refuses 2 'values belongs to --csv, not to --cifar' "$lockstep" import --cifar c10 --values --out x.h5
while read -r x y text; do
    damaged "$text" --npy "np/$x.npy,np/$y.npy"
done <<'END'
images short images.npy has 40 rows, but np/short.npy has 30 rows
nan labels nan.npy: is NaN in row 7, column 2
large labels large.npy: is too large for float32 in row 7, column 2
infinite labels infinite.npy: is infinite in row 0, number 5
images y_inf y_inf.npy: is -infinite in row 9
images negative negative.npy: label -1 in row 0 is negative
images objects objects.npy: Python objects: not supported
images texts texts.npy: numbers of type '<U1': integers, but not uint64, and floats
complex labels complex.npy: numbers of type '<c8'
images u8 u8.npy: numbers of type '<u8'
images records records.npy: records with named fields: not supported
single labels single.npy: a single number, not an array
none labels none.npy: dimension 1 is 0
many labels many.npy: has more than 4 dimensions
missing labels missing.npy: can.t open
END
damaged 'differ in type or shape' --npy np/images.npy,np/labels.npy --npy-test np/x_lf4.npy,np/labels.npy
head -c 900 np/x_lf4.npy >np/cut.npy
damaged 'cut.npy: its header claims 40 rows of 24 bytes, but 772 bytes follow' --npy np/cut.npy,np/labels.npy
head -c 50 np/x_lf4.npy >np/cut.npy
damaged 'cut.npy: not a NumPy array, or damaged: its header is too long' --npy np/cut.npy,np/labels.npy
damaged 'iris.csv: not a NumPy array' --npy iris.csv,np/labels.npy
for bytes in 100 3000; do
    head -c $bytes np/deflated.npz >np/cut.npz
    damaged 'cut.npz: not a ZIP file, or truncated' --npz np/cut.npz
done
"$python" - <<'END'
whole = open("np/deflated.npz", "rb").read()
open("np/flipped.npz", "wb").write(whole[:900] + bytes([whole[900] ^ 1]) + whole[901:])
stored = open("np/stored.npz", "rb").read()
open("np/flipped2.npz", "wb").write(stored[:900] + bytes([stored[900] ^ 1]) + stored[901:])
END
damaged 'flipped.npz: x_train.npy: damaged' --npz np/flipped.npz
damaged 'flipped2.npz: x_train.npy: damaged: its checksum differs' --npz np/flipped2.npz
finish
