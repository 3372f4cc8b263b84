"""The resource `sample`, by Python's own `statistics`."""

from statistics import fmean, median, pstdev

from wit_world.exports import sampling
from wit_world.imports.types import Summary


class Sample(sampling.Sample):
    def __init__(self, readings):
        self.readings = readings
        self.values = [reading.celsius for reading in readings]

    def summary(self):
        if not self.values:
            return Summary(0, 0.0, 0.0, 0.0)
        return Summary(len(self.values), fmean(self.values), median(self.values), pstdev(self.values))

    def outliers(self, limit):
        whole = self.summary()
        far = limit * whole.deviation
        return [reading for reading in self.readings if abs(reading.celsius - whole.mean) > far]
