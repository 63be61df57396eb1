// Main: the page. Starts the worker and shows what it says; has nothing to do with NATS itself.
const worker = new Worker(new URL("./worker.js", import.meta.url), { type: "module" });
const server = new URLSearchParams(location.search).get("server") ?? `ws://${location.hostname}:8080`;

worker.onmessage = ({ data: { state, seen, prices } }) => {
  document.querySelector("#link").textContent = `${state}, ${seen} messages`;
  const rows = prices.map(([name, { last, low, high }]) => {
    const row = document.createElement("tr");
    for (const text of [name, last.toFixed(2), `${low.toFixed(2)} to ${high.toFixed(2)}`]) {
      row.insertCell().textContent = text;
    }
    return row;
  });
  document.querySelector("#prices").replaceChildren(...rows);
};
worker.postMessage({ server });
