// Cases of tests/cli/test_export.sh, see cases.py. The modules are in the folder $NODE_MODULES.
const fs = require('fs')

exports.load = name => require(require.resolve(name, { paths: [process.env.NODE_MODULES] }))

const floats = file => {
  const bytes = fs.readFileSync(file)
  return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length))
}

// Returns the largest difference of outputs: relative to 1 or to the size of an output; of values to the largest of the
// output's; of images made by an autoencoder to the largest of all.
const difference = (got, expected, outputs, name) => {
  const size = new Float64Array(outputs)
  expected.forEach((v, i) => (size[i % outputs] = Math.max(size[i % outputs], Math.abs(v))))
  if (!name.includes('values') && name.includes('inputs')) size.fill(size.reduce((a, b) => Math.max(a, b)))
  let most = 0
  for (let i = 0; i < got.length; i++) {
    const one = Math.abs(got[i] - expected[i]) / (isClasses(name) ? Math.max(1, Math.abs(expected[i])) : size[i % outputs])
    most = one > most || Number.isNaN(one) ? one : most
  }
  return most
}

const isClasses = name => !name.includes('values') && !name.includes('inputs')

// Compares outputs with the network's own; returns a description of the difference, '' if there is none.
const compare = (got, expected, outputs, name) => {
  if (got.length !== expected.length) return `${got.length} outputs instead of ${expected.length}`
  const most = difference(got, expected, outputs, name)
  if (!(most <= 1e-5)) return `outputs differ by ${most}`
  for (let i = 0; i < got.length && isClasses(name) && outputs > 1; i += outputs) {
    const row = expected.slice(i, i + outputs)
    const sorted = Array.from(row).sort((a, b) => b - a)
    const best = got.slice(i, i + outputs).reduce((at, v, k, all) => (v > all[at] ? k : at), 0)
    if (row[best] !== sorted[0] && sorted[0] - sorted[1] > 2e-5) return `row ${i / outputs} has another class`
  }
  return ''
}

// Outputs by step of rows with lengths: those of steps beyond a row's length, which mean nothing, become 0.
const keepSteps = (values, lengths, steps, outputs) =>
  values.map((v, i) => (i % outputs < (lengths[Math.floor(i / outputs)] * outputs) / steps ? v : 0))

// The inputs, the outputs and, if there are any, the lengths in a CSV file of --check.
const readCheck = file => {
  const [head, ...rows] = fs.readFileSync(file, 'utf8').trim().split('\n')
  const inputs = head.split(',').filter(column => column[0] === 'x').length
  const values = rows.map(row => row.split(',').map(Number))
  const outputs = inputs + head.split(',').filter(column => column === 'length').length
  const parts = [[0, inputs], [outputs], [inputs, outputs]]
  return [rows.length, ...parts.map(part => Float32Array.from(values.flatMap(row => row.slice(...part))))]
}

// Runs all cases; outputsOf(name, x, [rows, channels, height, width], arranged, lengths) gives a promise of Float32Array;
// arranged: x is in the format's order, else [N][channels][height][width]; lengths [N], or empty.
exports.run = async (tool, format, outputsOf) => {
  let wrong = 0
  let worst = 0
  const lines = fs.readFileSync(0, 'utf8').split('\n').filter(line => line !== '')
  for (const line of lines) {
    const [name, ...sizes] = line.split(' ')
    const [rows, channels, height, width, outputs] = sizes.map(Number)
    let problem
    try {
      const rowLengths = fs.existsSync(name + '.lengths') ? floats(name + '.lengths') : []
      const got = await outputsOf(name, floats(name + '.x'), [rows, channels, height, width], false, rowLengths)
      const [count, x, y, lengths] = readCheck(`${name}.${format}.csv`)
      const checked = await outputsOf(name, x, [count, channels, height, width], true, lengths)
      const of = (values, lengths) =>
        name.includes('each') ? keepSteps(values, lengths, channels * height * width, outputs) : values
      const expected = of(floats(name + '.y'), rowLengths)
      problem = compare(of(got, rowLengths), expected, outputs, name) ||
        compare(of(checked, lengths), of(y, lengths), outputs, name)
      worst = Math.max(worst, difference(of(got, rowLengths), expected, outputs, name))
    } catch (error) {
      problem = String(error)
    }
    if (problem) {
      console.log(`${tool}: ${name}: ${problem}`)
      wrong++
    }
  }
  console.log(`${tool}: ${lines.length} networks, largest difference ${worst.toPrecision(2)}`)
  process.exit(wrong || !lines.length ? 1 : 0)
}
