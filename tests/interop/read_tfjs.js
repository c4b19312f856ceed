// Keras files in TensorFlow.js: configuration and weights are read with h5wasm.
const path = require('path')
const { load, run } = require('./cases.js')
console.warn = () => {}
const tf = load('@tensorflow/tfjs')

// TensorFlow.js has no GRU whose reset gate comes after the product, as in Keras 2 and 3: the equations are those of
// Keras' documentation, gates z, r, h, biases of the inputs and of the state.
const RNNCell = Object.getPrototypeOf(tf.layers.simpleRNNCell({ units: 1 }).constructor)
class GRUCell extends RNNCell {
  constructor (args) {
    super(args)
    this.units = this.stateSize = args.units
    if (!args.resetAfter) throw new Error('a GRU without reset_after')
  }

  build (shape) {
    const weight = (name, dims) => this.addWeight(name, dims, 'float32', tf.initializers.zeros())
    this.kernel = weight('kernel', [shape[shape.length - 1], 3 * this.units])
    this.recurrent = weight('recurrent_kernel', [this.units, 3 * this.units])
    this.bias = weight('bias', [2, 3 * this.units])
    this.built = true
  }

  call ([x, h]) {
    return tf.tidy(() => {
      const [b, c] = tf.unstack(this.bias.read())
      const [xz, xr, xh] = tf.split(tf.matMul(x, this.kernel.read()).add(b), 3, 1)
      const [hz, hr, hh] = tf.split(tf.matMul(h, this.recurrent.read()).add(c), 3, 1)
      const z = tf.sigmoid(tf.add(xz, hz))
      const made = tf.tanh(tf.add(xh, tf.mul(tf.sigmoid(tf.add(xr, hr)), hh)))
      const next = tf.add(tf.mul(z, h), tf.mul(tf.sub(1, z), made))
      return [next, next]
    })
  }
}
class GRU extends tf.RNN {
  constructor (args) {
    super({ ...args, cell: new GRUCell(args) })
    this.args = args
  }

  getConfig () {
    return this.args
  }

  static fromConfig (type, config) {
    return new GRU(config)
  }

  static get className () {
    return 'GRU'
  }
}
tf.serialization.registerClass(GRU)

// The artifacts of tf.loadLayersModel().
const read = file => {
  const weights = file.get('model_weights')
  const specs = []
  const parts = []
  for (const layer of weights.attrs.layer_names.value) {
    const group = weights.get(layer)
    for (const name of group.attrs.weight_names.value) {
      const dataset = group.get(name)
      specs.push({ name: name.replace(/:0$/, ''), shape: dataset.shape, dtype: 'float32' })
      parts.push(Buffer.from(new Float32Array(dataset.value).buffer))
    }
  }
  const all = Buffer.concat(parts)
  return {
    modelTopology: { model_config: JSON.parse(file.attrs.model_config.value), keras_version: file.attrs.keras_version.value },
    weightSpecs: specs,
    weightData: all.buffer.slice(all.byteOffset, all.byteOffset + all.length)
  }
}

// [N][channels][pixels] becomes [N][pixels][channels].
const channelsLast = (x, [rows, channels, height, width]) => {
  const y = new Float32Array(x.length)
  const pixels = height * width
  for (let n = 0; n < rows; n++)
    for (let c = 0; c < channels; c++)
      for (let p = 0; p < pixels; p++) y[(n * pixels + p) * channels + c] = x[(n * channels + c) * pixels + p]
  return y
}

const main = async () => {
  const h5wasm = await import(path.resolve(process.env.NODE_MODULES, 'h5wasm/dist/node/hdf5_hl.js'))
  await h5wasm.ready
  await tf.setBackend('cpu')
  await run('TensorFlow.js ' + tf.version.tfjs, 'h5', async (name, x, shape, arranged) => {
    const file = new h5wasm.File(name + '.h5', 'r')
    const artifacts = read(file)
    file.close()
    const model = await tf.loadLayersModel({ load: async () => artifacts })
    const [rows, channels, height, width] = shape
    const dims = name.includes('vector') ? [rows, channels] : [rows, height, width, channels]
    const input = name.includes('tokens')
      ? tf.tensor(x, [rows, channels * height * width], 'int32')
      : tf.tensor(arranged ? x : channelsLast(x, shape), dims)
    const y = model.predict(input, { batchSize: 16 }).dataSync()
    // An autoencoder's outputs have the order of its inputs.
    return name.includes('inputs') && !arranged ? channelsLast(y, [rows, height * width, channels, 1]) : y
  })
}
main()
