"use strict";
(() => {
  const filters = document.getElementById("filters");
  const text = document.getElementById("filter-text");
  const count = document.getElementById("filter-count");
  const boxes = [...filters.querySelectorAll("input[type=checkbox]")];
  const rows = [...document.querySelectorAll("#case-table > tbody > tr")].map((row) => ({
    row,
    verdict: row.dataset.verdict,
    text: `${row.textContent} ${row.dataset.requirements}`.toLowerCase(),
  }));
  const show = () => {
    const words = text.value.toLowerCase().split(/\s+/).filter(Boolean);
    const verdicts = new Set(boxes.filter((box) => box.checked).map((box) => box.value));
    let shown = 0;
    for (const item of rows) {
      const visible = verdicts.has(item.verdict) && words.every((word) => item.text.includes(word));
      item.row.hidden = !visible;
      shown += visible ? 1 : 0;
    }
    count.textContent = `${shown} of ${rows.length} cases shown`;
  };
  filters.hidden = false;
  filters.addEventListener("input", show);
  filters.addEventListener("submit", (event) => event.preventDefault());
  show();
})();
