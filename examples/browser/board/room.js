// Room: everyone on one board, over NATS. Nothing is stored anywhere: who comes in asks those who are there.
//
//   board.<room>.note     a note, whenever it changes        published by who changed it
//   board.<room>.cursor   { id, x, y }                       at most one a frame
//   board.<room>.here     { id, name, color }                every second; who is silent for three has left
//   board.<room>.gone     { id }                             when a tab closes
//   board.<room>.who      answered with all notes            a request for many replies

const PRESENCE = 1000;

/**
 * Enter a room. `me` is { id, name, color }; `on` has note(note), cursor(cursor), people(list); `notes` are the notes to
 * tell those who come later.
 */
export async function enter(nc, room, me, notes, on) {
  const subject = (what) => `board.${room}.${what}`;
  const publish = (what, value) => nc.publish(subject(what), JSON.stringify(value));
  const people = new Map();
  let cursor;

  const told = () => on.people([me, ...people.values()].sort((a, b) => (a.name < b.name ? -1 : 1)));
  const here = () => {
    publish("here", me);
    const silent = [...people.values()].filter(({ seen }) => Date.now() - seen > 3 * PRESENCE);
    for (const { id } of silent) left(id);
  };
  const left = (id) => {
    if (people.delete(id)) told();
    on.cursor({ id });
  };

  // what one tab published comes to all tabs, itself included
  const listen = (what, handle) =>
    nc.subscribe(subject(what), {
      callback: (error, msg) => {
        if (error === null) handle(msg.json(), msg);
      },
    });
  listen("note", on.note);
  listen("cursor", (other) => other.id !== me.id && on.cursor(other));
  listen("gone", ({ id }) => left(id));
  listen("here", (other) => {
    if (other.id === me.id) return;
    const isNew = !people.has(other.id);
    people.set(other.id, { ...other, seen: Date.now() });
    if (!isNew) return;
    told();
    // who came in shall not wait a second to know us
    publish("here", me);
  });
  nc.subscribe(subject("who"), {
    callback: (_error, msg) => void msg.respond(JSON.stringify(notes.all())),
  });

  // The first tab in a room gets an answer too: its own.
  const answers = await nc.requestMany(subject("who"), "", { strategy: "stall", stall: 100, maxWait: 1000 });
  for await (const answer of answers) for (const note of answer.json()) on.note(note);
  told();
  here();
  const beat = setInterval(here, PRESENCE);

  return {
    note: (note) => publish("note", note),
    /** Say where our pointer is: the newest position only, and no more often than the screen is drawn. */
    point(x, y) {
      if (cursor === undefined) {
        requestAnimationFrame(() => {
          publish("cursor", { id: me.id, name: me.name, color: me.color, ...cursor });
          cursor = undefined;
        });
      }
      cursor = { x, y };
    },
    leave() {
      clearInterval(beat);
      publish("gone", { id: me.id });
      return nc.close();
    },
  };
}
