// Page: tells a connection what befalls the page or worker it lives in. The browser entry hands it to createConnect.
import type { NetworkEvent } from "./options.ts";

/** The part of `window`, or of `self` in a worker, that is used here. */
type Page = Pick<EventTarget, "addEventListener" | "removeEventListener"> & {
  readonly document?: Pick<Document, "visibilityState">;
};

// `resume` after a freeze, `pageshow` out of the back-forward cache; those of the document pass by here while they are captured
const TYPES = ["online", "offline", "resume", "pageshow", "visibilitychange"];
// A page that sees no time for so long was asleep. Hidden ones get a turn only once a minute.
const LOOK = 10_000;
const ASLEEP = 75_000;
const CAPTURE = { capture: true };

/** Begin to tell; the function it returns ends it. Where nothing is told of such things, nothing is done. */
export function watchPage(
  tell: (event: NetworkEvent) => void,
  page: Page = globalThis as Partial<typeof globalThis> & Page,
): () => void {
  let last = Date.now();
  const look = ({ type, persisted }: Partial<PageTransitionEvent> = {}): void => {
    const slept = Date.now() - last > ASLEEP;
    last = Date.now();
    if (type === "offline") tell("lost");
    else if (slept || type === "online" || type === "resume" || persisted === true) tell("back");
    else if (type === "visibilitychange" && page.document?.visibilityState === "visible") tell("shown");
  };
  if (page.addEventListener === undefined) return () => undefined;
  const timer = setInterval(look, LOOK);
  for (const type of TYPES) page.addEventListener(type, look as EventListener, CAPTURE);
  return () => {
    clearInterval(timer);
    for (const type of TYPES) page.removeEventListener(type, look as EventListener, CAPTURE);
  };
}
