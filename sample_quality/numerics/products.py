"""Products of matrices on TensorFlow's threads.

numpy's threads wait for each other by spinning. On two cores that a training run is using, a
product took a hundred times as long as on idle ones; TensorFlow's threads sleep instead.
"""


def product(a, b):
    """a @ b of two numpy arrays of one dtype, float32 or float64; leading axes are batches.

    On the CPU, since GPUs may round the factors of float32 products to ten bits.
    """
    import tensorflow as tf  # not at the top: modules that only read scores import this one

    with tf.device("CPU:0"):
        return tf.linalg.matmul(a, b).numpy()
