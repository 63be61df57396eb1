// Main: the page. Draws what the kitchen tells, and moves its clock.
import { openKitchen } from "./kitchen.js";

const TICK = 250;
const KEPT = 12;
const DISHES = ["pizza", "soup", "pasta"];
const COOKS = ["anna", "ben"];
const $ = (selector) => document.querySelector(selector);

const kitchen = await openKitchen({ cooked: showCooked, price: showPrice });
for (const name of COOKS) await kitchen.hire(name, () => !$(`#${name} input`).checked);

/** A new line on top of a list, which does not grow for ever. */
function tell(list, text, kind = "") {
  const item = document.createElement("li");
  item.textContent = text;
  item.className = kind;
  list.prepend(item);
  while (list.children.length > KEPT) list.lastChild.remove();
}

// -- orders, and who works them off -----------------------------------------------------------------------------------

async function order(dish) {
  const { seq } = await kitchen.order(dish);
  tell($("#stream ol"), `#${seq} orders.${dish}`);
}

function showCooked(name, msg, done) {
  const { streamSequence, deliveryCount } = msg.info;
  const again = deliveryCount > 1 ? `, for the ${deliveryCount}. time` : "";
  const text = `#${streamSequence} ${msg.string()}${again}`;
  tell($(`#${name} ol`), done ? text : `${text}: left undone`, done ? "" : "undone");
}

for (const dish of DISHES) {
  const button = document.createElement("button");
  button.textContent = dish;
  button.onclick = () => order(dish);
  $("#orders p").append(button);
}
setInterval(() => {
  if ($("#rush").checked) void order(DISHES[Math.floor(Math.random() * DISHES.length)]);
}, 400);

// -- prices -----------------------------------------------------------------------------------------------------------

function showPrice(entry) {
  const { key, revision, isUpdate } = entry;
  let row = document.getElementById(`price-${key}`);
  if (row === null) {
    row = $("#prices template").content.firstElementChild.cloneNode(true);
    row.id = `price-${key}`;
    row.querySelector("label span").textContent = key;
    row.querySelector("input").onchange = ({ target }) => kitchen.setPrice(key, target.value);
    $("#prices form").append(row);
  }
  row.querySelector("input").value = entry.string();
  row.querySelector("output").textContent = `revision ${revision}`;
  if (isUpdate) tell($("#prices ol"), `${revision}: ${key} is ${entry.string()} now`);
}

// -- the clock --------------------------------------------------------------------------------------------------------

for (const button of document.querySelectorAll("#clock button")) {
  button.onclick = () => kitchen.advance(Number(button.dataset.ms));
}

setInterval(async () => {
  kitchen.advance(TICK * Number($("#speed").value));
  $("#clock time").textContent = new Date(kitchen.now()).toISOString().slice(11, 19);
  const { messages, bytes, num_pending, num_ack_pending, num_redelivered } = await kitchen.figures();
  $("#stream output").textContent = `${messages} messages, ${bytes} bytes`;
  $("#consumer").textContent =
    `${num_pending} wait, ${num_ack_pending} being cooked, ${num_redelivered} given out again`;
  document.body.dataset.ready = "yes";
}, TICK);
