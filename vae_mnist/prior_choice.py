"""The argument --prior of the commands that draw samples of a run."""

from training_run.cli.parser import one_of

NAMES = ("own", "normal")


def add_arguments(parser):
    """Add --prior to a command's parser."""
    parser.add_argument(
        "--prior",
        type=one_of(NAMES),
        default="own",
        help="own: the run's learned prior, if it has one; normal: N(0, I) (default: own)",
    )


def draw(run, arguments):
    """The `Drawn` images that the command `sample` asks a `VAERun` for; says by which prior."""
    prior = None if arguments.prior == "normal" else run.prior
    report_prior(prior, run.config, arguments)
    return run.draw(
        arguments.num, seed=arguments.seed, label=arguments.label, prior=arguments.prior
    )


def find_latents(run, config, network, arguments):
    """The `latents` of `training_run.step.sampling.generate` that a command asks for.

    Args:
        run: the `RunDir`.
        config: its `VAEConfig`.
        network: its decoder.
        arguments: parsed.

    Raises:
        UserError: if the run's prior belongs to other networks, or is damaged.
    """
    from sample_quality.priors import latents_of, load_prior

    prior = None if arguments.prior == "normal" else load_prior(run, {"decoder": network})
    report_prior(prior, config, arguments)
    return latents_of(prior)


def report_prior(prior, config, arguments):
    """Say what latents are drawn from, where that may be another prior than N(0, I)."""
    from sample_quality.priors import describe

    if prior is not None or (config.prior.kind != "normal" and arguments.prior != "normal"):
        print(f"prior: {describe(prior)}{'' if prior else ' (the run has no learned one yet)'}")
