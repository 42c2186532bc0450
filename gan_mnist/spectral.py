"""Spectral normalisation: a discriminator whose layers stretch no direction more than by 1.

In training each kernel W is divided by its largest singular value sigma(W). The kernel itself stays
as it is, and gradients pass through sigma. Saved networks have the quotient as their kernel, in
Keras's plain layers.
"""

import keras
from keras import ops


class SpectralNormalization(keras.layers.SpectralNormalization):
    """A layer that computes with W / sigma(W) in place of its kernel W.

    W (..., out) counts as a matrix (in, out). The vector u (1, out) approximates its first right
    singular vector, so sigma(W) = |W u|. With u constant, the gradient of |W u| is v u', where
    v = W u / |W u|: that of the paper's equation 12.

    Keras's layer, which this one takes its variables from, divides the kernel itself at every call
    with training=True and lets no gradient pass through sigma.

    Source: Miyato et al. 2018, arXiv:1802.05957, equations 8 and 12, algorithm 1.
    """

    def __init__(self, layer):
        super().__init__(layer, dtype="float32")  # sigma's precision, under any policy

    def call(self, inputs, training=None):
        return self.layer.stateless_call(self.normalized(), [], inputs)[0]

    def normalized(self):
        """The layer's weights as tensors, with W / sigma(W) in place of W."""
        weights = self.layer.trainable_variables
        return [w / self.sigma() if w is self.kernel else w.value for w in weights]

    def sigma(self):
        """The estimate |W u| of the largest singular value; gradients reach W, not u."""
        u = ops.stop_gradient(ops.normalize(self.vector_u, axis=-1, order=2))
        return ops.norm(ops.matmul(self._matrix(), ops.transpose(u)))

    def iterate(self):
        """One step of the power iteration: u becomes W' W u, of length 1."""
        matrix = self._matrix()
        v = ops.matmul(self.vector_u, ops.transpose(matrix))
        self.vector_u.assign(ops.normalize(ops.matmul(v, matrix), axis=-1, order=2))

    def _matrix(self):
        return ops.reshape(self.kernel, (-1, self.kernel.shape[-1]))


def spectral_layers(network):
    """The `SpectralNormalization` layers of a network, as a list."""
    return [layer for layer in network.layers if isinstance(layer, SpectralNormalization)]


def plain_network(network):
    """The network with its normalised kernels in plain layers; itself if it has none."""
    if not spectral_layers(network):
        return network
    pairs = []

    def plain_layer(layer):
        old = layer.layer if isinstance(layer, SpectralNormalization) else layer
        pairs.append((layer, type(old).from_config(old.get_config())))
        return pairs[-1][1]

    plain = keras.models.clone_model(network, clone_function=plain_layer)
    for layer, new in pairs:
        if isinstance(layer, SpectralNormalization):
            new.set_weights([ops.convert_to_numpy(value) for value in layer.normalized()])
        else:
            new.set_weights(layer.get_weights())
    return plain
