#!/usr/bin/env python3
"""Trains a logistic regression on data that it makes up itself.

Needs Python 3.8 or newer and no package, so it runs on a laptop, on the jumpbox and in a job on the cluster alike.
Where MLflow is installed, as in Azure ML's curated images, the metrics also appear with the job in the studio.
"""

import argparse
import json
import math
import random
from pathlib import Path


def make_data(rows, seed):
    """Two clouds of points in the plane that overlap a little: ((x, y), label)."""
    rng = random.Random(seed)
    data = []
    for row in range(rows):
        label = row % 2
        centre = 1.2 if label else -1.2
        data.append(((rng.gauss(centre, 1.0), rng.gauss(centre, 1.0)), label))
    rng.shuffle(data)
    return data


def split(data, share):
    """Training rows and rows held back for the test."""
    cut = int(len(data) * share)
    return data[:cut], data[cut:]


def probability(weights, point):
    """Of label 1. The last weight is the bias; the clamp keeps exp() in range."""
    score = weights[0] * point[0] + weights[1] * point[1] + weights[2]
    return 1.0 / (1.0 + math.exp(-max(-60.0, min(60.0, score))))


def loss(weights, data):
    """Mean cross entropy."""
    total = 0.0
    for point, label in data:
        p = min(max(probability(weights, point), 1e-12), 1 - 1e-12)
        total -= math.log(p) if label else math.log(1 - p)
    return total / len(data)


def accuracy(weights, data):
    """Share of the rows on the right side of one half."""
    hits = sum((probability(weights, point) >= 0.5) == bool(label) for point, label in data)
    return hits / len(data)


def step(weights, data, rate):
    """One step of gradient descent over all rows."""
    gradient = [0.0, 0.0, 0.0]
    for point, label in data:
        error = probability(weights, point) - label
        gradient[0] += error * point[0]
        gradient[1] += error * point[1]
        gradient[2] += error
    return [w - rate * g / len(data) for w, g in zip(weights, gradient)]


def tracker():
    """MLflow if it is there, else None."""
    try:
        import mlflow
    except ImportError:
        return None
    return mlflow


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=2000, help="rows to make up (default: %(default)s)")
    parser.add_argument("--epochs", type=int, default=100, help="steps of gradient descent (default: %(default)s)")
    parser.add_argument("--learning-rate", type=float, default=0.5, help="length of a step (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=7, help="same seed, same data (default: %(default)s)")
    parser.add_argument("--output", type=Path, default=Path("outputs"), help="folder for model.json (default: %(default)s)")
    given = parser.parse_args()
    if given.rows < 10 or given.epochs < 1 or given.learning_rate <= 0:
        parser.error("at least 10 rows, 1 epoch and a learning rate above 0 are needed")
    return given


def main():
    given = arguments()
    train, test = split(make_data(given.rows, given.seed), 0.8)
    log = tracker()
    weights = [0.0, 0.0, 0.0]
    for epoch in range(1, given.epochs + 1):
        weights = step(weights, train, given.learning_rate)
        if epoch == 1 or epoch % 10 == 0:
            value = loss(weights, train)
            print(f"epoch {epoch:4d}  loss {value:.4f}")
            if log:
                log.log_metric("loss", value, step=epoch)

    result = {"weights": weights, "loss": loss(weights, test), "accuracy": accuracy(weights, test)}
    given.output.mkdir(parents=True, exist_ok=True)
    target = given.output / "model.json"
    target.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    print(f"accuracy on {len(test)} unseen rows: {result['accuracy']:.3f}; wrote {target}")
    if log:
        log.log_metric("test_loss", result["loss"])
        log.log_metric("accuracy", result["accuracy"])


if __name__ == "__main__":
    main()
