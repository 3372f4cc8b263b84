// Numbers as sentences. It leaves the arithmetic to `sampling`, whoever that is.

import { Sample } from "polyglot:weather/sampling@1.0.0";

const degrees = (celsius) => `${celsius.toFixed(1)} °C`;

// An outlier is this many standard deviations from the mean.
const LIMIT = 1.5;

class Page {
  #title;
  #sections = [];

  constructor(title) {
    this.#title = title;
  }

  add(title, readings) {
    const sample = new Sample(readings);
    const { count, mean, median, deviation } = sample.summary();
    const outliers = sample.outliers(LIMIT);
    const stations = [...new Set(readings.map(({ station }) => station))].sort();
    const lines = [
      `${count} readings from ${stations.join(", ")}.`,
      `The mean is ${degrees(mean)}, the median ${degrees(median)}, give or take ${deviation.toFixed(1)}.`,
      ...outliers.map(({ station, celsius }) => `${station} stands out with ${degrees(celsius)}.`),
    ];
    const section = { title: `${this.#title}: ${title}`, lines };
    this.#sections.push(section);
    return section;
  }

  sections() {
    return this.#sections;
  }
}

export const prose = { Page };
