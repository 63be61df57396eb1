// Main: the page. Draws the notes, cursors and people of a room; ?server=ws://host:port &room= &name= say where and who.
import { connect, nuid } from "isonats";
import { Notes } from "./notes.js";
import { enter } from "./room.js";

const COLORS = ["#ffd166", "#8ecae6", "#b5e48c", "#ffafcc", "#cdb4db", "#f4a261"];
const NAMES = ["Otter", "Heron", "Badger", "Lynx", "Plover", "Marten", "Osprey", "Hare"];
const anyOf = (list) => list[Math.floor(Math.random() * list.length)];
const query = new URLSearchParams(location.search);
const room = /^\w+$/.test(query.get("room") ?? "") ? query.get("room") : "lobby";
const me = { id: nuid.next(), name: query.get("name") ?? anyOf(NAMES), color: anyOf(COLORS) };

const board = document.querySelector("#board");
const link = document.querySelector("#link");
document.querySelector("#room").textContent = room;

const nc = await connect({ servers: query.get("server") ?? `ws://${location.hostname}:8080`, name: me.name });

// -- the link ---------------------------------------------------------------------------------------------------------

function showLink() {
  link.textContent = nc.state === "connected" ? `connected to ${nc.getServer()}` : `${nc.state} …`;
  link.dataset.state = nc.state;
}

async function watchLink() {
  showLink();
  for await (const _ of nc.status()) showLink();
}
void watchLink();

// -- notes ------------------------------------------------------------------------------------------------------------

const notes = new Notes();

function draw(note) {
  if (!notes.merge(note)) return;
  const element = document.getElementById(note.id) ?? create(note.id);
  if (note.gone) return element.remove();
  element.style.setProperty("--color", note.color);
  element.style.left = `${note.x}%`;
  element.style.top = `${note.y}%`;
  const text = element.querySelector("p");
  if (text.textContent !== note.text) text.textContent = note.text;
}

function create(id) {
  const element = document.createElement("article");
  element.id = id;
  const text = document.createElement("p");
  text.contentEditable = "plaintext-only";
  text.oninput = () => change(id, { text: text.textContent });
  const remove = document.createElement("button");
  remove.textContent = "×";
  remove.ariaLabel = "remove this note";
  remove.onclick = () => change(id, { gone: true });
  element.append(remove, text);
  element.onpointerdown = (event) => drag(event, element, id);
  board.append(element);
  return element;
}

/** Draw it here at once, and tell the others. While there is no link, what is told waits for the next one. */
function change(id, changes) {
  const note = notes.change(id, me.id, changes);
  draw(note);
  session.note(note);
}

function drag(event, element, id) {
  if (event.target !== element) return;
  const from = at(event);
  const [left, top] = [parseFloat(element.style.left), parseFloat(element.style.top)];
  element.setPointerCapture(event.pointerId);
  element.onpointermove = (move) => {
    const to = at(move);
    change(id, { x: left + to.x - from.x, y: top + to.y - from.y });
  };
  element.onpointerup = () => {
    element.onpointermove = null;
  };
}

/** Where the pointer is, in percent of the board: tabs have different sizes. */
function at({ clientX, clientY }) {
  const { left, top, width, height } = board.getBoundingClientRect();
  return { x: (100 * (clientX - left)) / width, y: (100 * (clientY - top)) / height };
}

// -- people -----------------------------------------------------------------------------------------------------------

function showCursor({ id, name, color, x, y }) {
  let cursor = document.getElementById(`cursor-${id}`);
  if (x === undefined) return cursor?.remove();
  if (cursor === null) {
    cursor = document.createElement("div");
    cursor.id = `cursor-${id}`;
    cursor.className = "cursor";
    cursor.textContent = name;
    cursor.style.setProperty("--color", color);
    board.append(cursor);
  }
  cursor.style.left = `${x}%`;
  cursor.style.top = `${y}%`;
}

function showPeople(people) {
  const items = people.map(({ id, name, color }) => {
    const item = document.createElement("li");
    item.textContent = id === me.id ? `${name} (you)` : name;
    item.style.setProperty("--color", color);
    return item;
  });
  document.querySelector("#people").replaceChildren(...items);
}

const session = await enter(nc, room, me, notes, { note: draw, cursor: showCursor, people: showPeople });

board.onpointermove = (event) => {
  const { x, y } = at(event);
  session.point(x, y);
};
board.ondblclick = (event) => {
  if (event.target.closest("article")) return;
  const id = nuid.next();
  change(id, { ...at(event), text: "", color: me.color });
  document.getElementById(id).querySelector("p").focus();
};
// the page may come back from the back/forward cache: then everything is made anew
addEventListener("pagehide", () => void session.leave());
addEventListener("pageshow", ({ persisted }) => persisted && location.reload());
