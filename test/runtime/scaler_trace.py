#!/usr/bin/env python3
"""Records what Python's torch.amp.GradScaler does on random sequences of gradients.

    scaler_trace.py --output scaler_trace.json        record (committed; the C++ test replays it)
    scaler_trace.py --compare scaler_trace.json       record again and compare; exit status 1 where it
                                                      differs, 77 where Python has no torch

Each sequence: a scaler with random settings, two optimizers, and steps in which the gradient of each
parameter is finite, inf or nan, unscale_ comes before step or not, and a misuse is now and then tried.
Numbers are powers of two times small integers, so that every LibTorch computes the same bits.
"""
import argparse
import json
import random
import sys


def record(seed, sequences):
    import torch

    generator = random.Random(seed)
    result = []
    for _ in range(sequences):
        settings = {
            "init_scale": 2.0 ** generator.choice([0, 3, 10, 16, 24, 126]),
            "growth_factor": generator.choice([1.5, 2.0, 4.0]),
            "backoff_factor": generator.choice([0.25, 0.5, 0.75]),
            "growth_interval": generator.choice([1, 2, 3, 7]),
        }
        scaler = torch.amp.GradScaler("cpu", **settings)
        parameters = [torch.nn.Parameter(torch.zeros(3)) for _ in range(4)]
        optimizers = [torch.optim.SGD(parameters[:2], lr=1.0), torch.optim.SGD(parameters[2:], lr=1.0)]
        operations = []

        def attempt(operation, function):
            """Runs it and notes whether it raised, and the state after it."""
            raised = False
            try:
                function()
            except (RuntimeError, AssertionError, ValueError):
                raised = True
            operation["raises"] = raised
            operation["scale"] = scaler.get_scale()
            operation["growth_tracker"] = scaler.state_dict()["_growth_tracker"]
            operation["values"] = [p.detach().tolist() for p in parameters]
            operation["gradients"] = [
                None if p.grad is None else [repr(v) for v in p.grad.tolist()] for p in parameters
            ]
            operations.append(operation)

        for step in range(generator.randint(4, 14)):
            if generator.random() < 0.1:
                attempt({"do": "update"}, scaler.update)
            if generator.random() < 0.08:
                which = generator.randrange(2)
                attempt({"do": "step", "optimizer": which}, lambda: scaler.step(optimizers[which]))
            loss = generator.choice([0.5, 1.0, 3.0])
            attempt({"do": "scale", "loss": loss}, lambda: scaler.scale(torch.tensor(loss)))
            gradients = []
            for _ in parameters:
                kind = generator.random()
                if kind < 0.08:
                    gradients.append(None)
                    continue
                values = [float(generator.randint(-8, 8)) for _ in range(3)]
                if kind < 0.16:
                    values[generator.randrange(3)] = float("inf")
                elif kind < 0.2:
                    values[generator.randrange(3)] = float("nan")
                gradients.append(values)
            scale = scaler.get_scale()
            for parameter, values in zip(parameters, gradients):
                parameter.grad = None if values is None else torch.tensor(values) * scale
            operations.append(
                {"do": "gradients", "values": [None if g is None else [repr(v) for v in g] for g in gradients]}
            )
            for which, optimizer in enumerate(optimizers):
                if generator.random() < 0.4:
                    attempt({"do": "unscale", "optimizer": which}, lambda: scaler.unscale_(optimizer))
                if generator.random() < 0.05:
                    attempt({"do": "unscale", "optimizer": which}, lambda: scaler.unscale_(optimizer))
                attempt({"do": "step", "optimizer": which}, lambda: scaler.step(optimizer))
                if generator.random() < 0.05:
                    attempt({"do": "step", "optimizer": which}, lambda: scaler.step(optimizer))
                if generator.random() < 0.05:
                    attempt({"do": "unscale", "optimizer": which}, lambda: scaler.unscale_(optimizer))
            if generator.random() < 0.07:
                new_scale = 2.0 ** generator.randint(0, 20)
                attempt({"do": "update", "new_scale": new_scale}, lambda: scaler.update(new_scale))
            else:
                attempt({"do": "update"}, scaler.update)
            if generator.random() < 0.1:
                attempt({"do": "reload"}, lambda: scaler.load_state_dict(scaler.state_dict()))
        result.append({"settings": settings, "operations": operations})
    return result


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", help="file to write")
    parser.add_argument("--compare", help="file to compare with")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--sequences", type=int, default=24)
    arguments = parser.parse_args()
    if bool(arguments.output) == bool(arguments.compare):
        parser.error("give --output or --compare")
    try:
        import torch
    except ImportError:
        print("Python has no torch here: nothing to compare with", file=sys.stderr)
        return 77
    trace = {"seed": arguments.seed, "torch": torch.__version__.split("+")[0],
             "sequences": record(arguments.seed, arguments.sequences)}
    if arguments.output:
        with open(arguments.output, "w") as file:
            json.dump(trace, file, separators=(",", ":"))
            file.write("\n")
        return 0
    with open(arguments.compare) as file:
        recorded = json.load(file)
    if recorded["seed"] != arguments.seed:
        parser.error("the recorded trace has seed %d" % recorded["seed"])
    for index, (old, new) in enumerate(zip(recorded["sequences"], trace["sequences"])):
        if old != new:
            print("sequence %d differs from the recorded one" % index, file=sys.stderr)
            return 1
    if len(recorded["sequences"]) != len(trace["sequences"]):
        print("another number of sequences than recorded", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
