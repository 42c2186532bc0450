"""Matrix products on TensorFlow's threads.

numpy's threads spin while they wait for each other: on two cores that were busy with training, a
product took a hundred times as long as on idle ones. TensorFlow's threads sleep.
"""

import tensorflow as tf


def product(a, b):
    """a @ b of two numpy arrays of one dtype, float32 or float64, on the CPU.

    GPUs may round the factors of float32 products to ten bits.
    """
    with tf.device("CPU:0"):
        return tf.linalg.matmul(a, b).numpy()
