"""The same networks and updates in PyTorch, eager, where torch is installed."""

import time

import torch
from torch import nn
from torch.nn import functional

from benchmarks.models import MODELS, load_model

WARM_UP = 10


def translate(layers):
    """Keras layers as a PyTorch chain: the same ones, with the weights PyTorch starts from."""
    return nn.Sequential(
        *[module for layer in layers for module in TRANSLATIONS[type(layer).__name__](layer)]
    )


def dense(layer):
    activation = [nn.ReLU()] if layer.activation.__name__ == "relu" else []
    return [nn.Linear(layer.input.shape[-1], layer.units, bias=layer.use_bias), *activation]


def convolution(layer):
    """Keras pads less before than after where the padding is odd."""
    (_, side, _, channels), (_, out, _, _) = layer.input.shape, layer.output.shape
    size = layer.kernel_size[0]
    padding = (out - 1) * 2 + size - side
    before, after = padding // 2, padding - padding // 2
    conv = nn.Conv2d(channels, layer.filters, size, stride=2, padding=before)
    return [conv] if before == after else [nn.ZeroPad2d((0, after - before) * 2), conv]


def transposed_convolution(layer):
    (_, side, _, channels), (_, out, _, _) = layer.input.shape, layer.output.shape
    cut = (side - 1) * 2 + layer.kernel_size[0] - out
    return [
        nn.ConvTranspose2d(
            channels, layer.filters, layer.kernel_size[0], stride=2, padding=(cut + 1) // 2,
            output_padding=cut % 2, bias=layer.use_bias,
        )
    ]  # fmt: skip


def batch_normalization(layer):
    shape = layer.input.shape
    kind = nn.BatchNorm2d if len(shape) == 4 else nn.BatchNorm1d
    return [kind(shape[-1], momentum=1.0 - layer.momentum, eps=layer.epsilon)]


def reshape(layer):
    height, width, channels = layer.target_shape
    return [nn.Unflatten(1, (channels, height, width))]


TRANSLATIONS = {
    "Dense": dense,
    "Conv2D": convolution,
    "Conv2DTranspose": transposed_convolution,
    "BatchNormalization": batch_normalization,
    "LeakyReLU": lambda layer: [nn.LeakyReLU(layer.negative_slope)],
    "ReLU": lambda layer: [nn.ReLU()],
    "Flatten": lambda layer: [nn.Flatten()],
    "Reshape": reshape,
    "Activation": lambda layer: [
        nn.Tanh() if layer.activation.__name__ == "tanh" else nn.Sigmoid()
    ],
    "InputLayer": lambda layer: [],
}


class Encoder(nn.Module):
    """The trunk of a Keras encoder, and its two heads."""

    def __init__(self, network):
        super().__init__()
        *trunk, mean, log_var = network.layers
        self.trunk = translate(trunk)
        self.mean, self.log_var = dense(mean)[0], dense(log_var)[0]

    def forward(self, x):
        features = self.trunk(x)
        return self.mean(features), self.log_var(features)


def adam(config, weights, fused):
    return torch.optim.Adam(
        weights, config.learning_rate, (config.beta_1, config.beta_2), eps=1e-7, fused=fused
    )


def descend(loss, optimizer):
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    optimizer.step()


def gan_step(config, networks, fused):
    generator, discriminator = (
        translate(networks[name].layers) for name in ("generator", "discriminator")
    )
    d_adam = adam(config.optimizer, discriminator.parameters(), fused)
    g_adam = adam(config.optimizer, generator.parameters(), fused)
    shape = (config.training.batch_size, networks["generator"].input_shape[-1])
    low, high = config.model.value_range
    cross_entropy = functional.binary_cross_entropy_with_logits

    def step(images):
        real = images.float() / 255.0 * (high - low) + low
        with torch.no_grad():
            fake = generator(torch.randn(shape))
        on_real, on_fake = discriminator(real), discriminator(fake)
        d_loss = cross_entropy(on_real, torch.ones_like(on_real))
        descend(d_loss + cross_entropy(on_fake, torch.zeros_like(on_fake)), d_adam)
        # Without gradients against weights that this phase does not move.
        for weight in discriminator.parameters():
            weight.requires_grad_(False)
        logits = discriminator(generator(torch.randn(shape)))
        descend(cross_entropy(logits, torch.ones_like(logits)), g_adam)
        for weight in discriminator.parameters():
            weight.requires_grad_(True)

    return step


def vae_step(config, networks, fused):
    encoder, decoder = Encoder(networks["encoder"]), translate(networks["decoder"].layers)
    optimizer = adam(config.optimizer, [*encoder.parameters(), *decoder.parameters()], fused)

    def step(images):
        x = images.float() / 255.0
        mean, log_var = encoder(x)
        z = mean + torch.exp(0.5 * log_var) * torch.randn_like(mean)
        error = torch.square(x - decoder(z)).sum((1, 2, 3))
        kl = 0.5 * (mean.square() + log_var.exp() - 1.0 - log_var).sum(1)
        descend((config.loss.c * error + kl).mean(), optimizer)

    return step


def denoiser_step(config, networks, fused):
    denoiser, noise = translate(networks["denoiser"].layers), config.corruption
    optimizer = adam(config.optimizer, denoiser.parameters(), fused)

    def step(images):
        x = images.float() / 255.0
        spoiled = (x + noise.gaussian * torch.randn_like(x)).clamp(0.0, 1.0)
        spoiled *= torch.rand_like(x) >= noise.masking
        draw = torch.rand_like(x)
        spoiled[draw < 0.5 * noise.salt_and_pepper] = 0.0
        spoiled[draw > 1.0 - 0.5 * noise.salt_and_pepper] = 1.0
        loss = functional.binary_cross_entropy(denoiser(spoiled), x, reduction="sum") / len(x)
        descend(loss, optimizer)

    return step


def _milliseconds(name, images, fused):
    config, networks = load_model(name)
    makers = {"gan": gan_step, "vae": vae_step, "denoiser": denoiser_step}
    step = makers[config.family](config, networks, fused)
    data = torch.from_numpy(images).permute(0, 3, 1, 2).contiguous()
    batch, steps = config.training.batch_size, MODELS[name].plain_steps

    def train(num_steps):
        for _ in range(num_steps):
            step(data[torch.randint(len(data), (batch,))])

    train(WARM_UP)
    started = time.perf_counter()
    train(steps)
    return 1000 * (time.perf_counter() - started) / steps


def eager(name, images):
    """Milliseconds a step with PyTorch's default Adam."""
    return _milliseconds(name, images, fused=False)


def eager_fused(name, images):
    """Milliseconds a step with PyTorch's fused Adam."""
    return _milliseconds(name, images, fused=True)
