from gan_mnist.health_rules import Measurement, rules_for
from training_run.run_folder.log import Event, read_events


def test_events_of_a_health_log(tmp_path):
    path = tmp_path / "health.log"
    path.write_text(
        "step 1,800: diversity has collapsed: since step 1,000 samples have at most 3% ...\n"
        "not a line of a health.log\n"
        "step 200: the generator's gradient has exploded: its norm is 2e+05; try ...\n"
    )
    assert read_events(path) == [
        Event(200, "the generator's gradient has exploded"),
        Event(1000, "diversity has collapsed"),
    ]


def test_without_a_health_log_there_are_no_events(tmp_path):
    assert read_events(tmp_path / "health.log") == []


def test_every_sentence_of_the_health_rules_is_an_event(tmp_path):
    ill = {
        "d_accuracy_real": 1.0, "d_accuracy_fake": 1.0, "logit_difference": 99.0, "copies": 1.0,
        "diversity": 0.5, "d_gradient": 1e9, "g_gradient": 0.0,
    }  # fmt: skip
    recent = [Measurement(2000 + 200 * i, **ill, g_loss=1.0 + i * (-1000) ** i) for i in range(8)]
    sentences = [rule.sentence(recent[-rule.num_needed :]) for rule in rules_for("hinge")]
    lines = [f"step 3,400: {sentence}\n" for sentence in sentences if sentence]
    path = tmp_path / "health.log"
    path.write_text("".join(lines))
    events = read_events(path)
    assert len(events) == len(lines) >= 5
    assert {event.step for event in events} <= {2000, 2600, 3400}
    assert all(len(event.label) < 45 for event in events)
