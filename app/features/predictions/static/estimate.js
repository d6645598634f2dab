// What a batch will take, before it is started.
"use strict";

window.Estimate = {
  CHARACTERS_PER_TOKEN: 4, // about, in English
  lines: (text) => text.split(/[\r\n]+/).filter((line) => line.trim()).length,
  /** About how many rows a CSV file has: its lines but the first. */
  rowsOf: async (file) => Math.max(0, Estimate.lines(await file.text().catch(() => "")) - 1),
  /** Say how long some rows with prompts of a length take, and what the prompts cost where there are prices. */
  words({ pace, inputPrice, outputPrice, currency }, rows, characters) {
    const took = `About ${Words.count(rows, "row")} in ${Words.duration(Math.max(1, rows / pace))}`;
    if (!(Number(inputPrice) + Number(outputPrice))) return `${took}.`;
    const cost = rows * characters / Estimate.CHARACTERS_PER_TOKEN * inputPrice / 1e6;
    return `${took}; the prompts cost about ${cost.toFixed(2)} ${currency}, a million answer tokens cost ${outputPrice} ${currency}.`;
  },
};
