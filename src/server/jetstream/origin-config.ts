// Origin config: what a configuration may say of a mirror and of sources. One of the extras.
import type { StreamConfig, StreamSource, SubjectTransformConfig } from "../../protocol/jetstream/stream.ts";
import { goQuote } from "../go-text.ts";
import { isPublishSubject, isSubscribeSubject, subjectsCollide } from "../subjects.ts";
import { type ExtraRefusalCode, refuseExtra } from "./extra-refusal.ts";
import { invalid, isSubject, type Others, transformError, type WholeStreamConfig } from "./stream-config.ts";

/** `correct` is told of what a pedantic client has wrong. @throws {Refusal} of what can't be */
export function checkOrigins(
  config: WholeStreamConfig,
  others: Others,
  correct: (err: string) => void,
): void {
  if (config.mirror !== undefined) checkMirror(config, config.mirror, others, correct);
  checkSources(config, others);
  checkExternal(config, others);
  checkCycle(config, others);
}

/** Their filters are subjects. @throws {Refusal} 10049 */
export function checkOriginFilters({ mirror, sources = [] }: StreamConfig): void {
  const wrong = (filter = ""): boolean => filter !== "" && !isSubscribeSubject(filter);
  const of = mirror?.filter_subject;
  if (wrong(of)) refuseExtra(10049, { err: `subject filter '${of}' for the mirror invalid subject` });
  for (const { filter_subject: filter } of sources) {
    if (wrong(filter)) {
      refuseExtra(10049, { err: `subject filter '${filter}' for the source: invalid subject` });
    }
  }
}

function checkFilters(
  { filter_subject, subject_transforms: transforms = [] }: StreamSource,
  [both, source, destination, overlap]: readonly [
    ExtraRefusalCode,
    ExtraRefusalCode,
    ExtraRefusalCode,
    ExtraRefusalCode,
  ],
): void {
  if (filter_subject && transforms.length > 0) refuseExtra(both);
  for (const [i, { src = "", dest }] of transforms.entries()) {
    if (src !== "" && !isSubject(src)) refuseExtra(source, { err: `invalid subject ${src}` });
    const err = transformError(src, dest);
    if (err !== undefined) refuseExtra(destination, { err });
    const collides = ({ src: other = "" }: SubjectTransformConfig, j: number): boolean =>
      i !== j && subjectsCollide(src, other);
    if (transforms.some(collides)) refuseExtra(overlap);
  }
}

function isName(name: string | undefined): boolean {
  return !!name && !/[\s.*>/\\]/.test(name);
}

function checkMirror(
  config: WholeStreamConfig,
  mirror: StreamSource,
  others: Others,
  correct: (err: string) => void,
): void {
  if (config.first_seq) refuseExtra(10143);
  if (config.subjects?.length) refuseExtra(10034);
  if (config.sources?.length) refuseExtra(10031);
  if (config.allow_msg_counter) refuseExtra(10173);
  if (config.allow_atomic) refuseExtra(10198);
  if (config.allow_batched) refuseExtra(10209);
  if (config.allow_msg_schedules) refuseExtra(10186);
  if (config.subject_delete_marker_ttl) invalid("subject delete markers forbidden on mirrors");
  checkFilters(mirror, [10150, 10151, 10154, 10152]);
  checkConsumer(mirror, 10213);
  if (mirror.external !== undefined) return;
  if (!isName(mirror.name)) refuseExtra(10142);
  const origin = others.get(mirror.name)?.config;
  if (origin === undefined) return;
  if (isLess(config, origin)) refuseExtra(10030);
  if (config.mirror_direct !== (origin.allow_direct ?? false)) {
    correct("origin stream has direct get set, mirror has it disabled");
    config.mirror_direct = origin.allow_direct ?? false;
  }
}

// Are its messages to be smaller than those of its origin?
function isLess(
  { max_msg_size: ours }: WholeStreamConfig,
  { max_msg_size: theirs = -1 }: StreamConfig,
): boolean {
  return ours > 0 && theirs > 0 && ours < theirs;
}

function checkConsumer(
  { consumer, opt_start_seq, opt_start_time, filter_subject }: StreamSource,
  errCode: ExtraRefusalCode,
): void {
  if (consumer === undefined) return;
  const { name, deliver_subject: subject } = consumer;
  const plain = !opt_start_seq && !opt_start_time && !filter_subject;
  if (!isName(name) || !subject || !isPublishSubject(subject) || !plain) refuseExtra(errCode);
}

function checkSources(config: WholeStreamConfig, others: Others): void {
  const known = new Set<string>();
  if (config.sources?.length && config.allow_msg_schedules) refuseExtra(10187);
  for (const one of config.sources ?? []) {
    const { name, filter_subject = "", subject_transforms: transforms = [], external } = one;
    if (!isName(name)) refuseExtra(10141);
    const id = JSON.stringify([name, external?.api, external?.deliver, filter_subject, transforms]);
    if (known.has(id)) refuseExtra(10140);
    known.add(id);
    checkFilters(one, [10144, 10145, 10146, 10147]);
    checkConsumer(one, 10215);
    const origin = external === undefined ? others.get(name)?.config : undefined;
    if (origin !== undefined && isLess(config, origin)) refuseExtra(10046);
  }
}

function checkExternal({ mirror, sources = [] }: WholeStreamConfig, others: Others): void {
  const origins = [...(mirror ? [mirror] : []), ...sources];
  const external = origins.flatMap(({ external: one }) => one ?? []);
  const here = origins.filter((one) => one.external === undefined);
  const subjects = here.flatMap(({ name }) => others.get(name)?.config.subjects ?? []);
  for (const { deliver: prefix = "" } of external) {
    if (prefix === "") continue;
    if (!isPublishSubject(prefix)) refuseExtra(10024, { prefix });
    for (const subject of subjects) {
      if (subjectsCollide(subject, `${prefix}.${subject}`)) refuseExtra(10022, { prefix, subject });
    }
  }
  for (const { api: prefix = "" } of external) {
    if (prefix === "") continue;
    if (!isPublishSubject(prefix)) {
      invalid(`stream external api prefix ${goQuote(prefix)} must be a valid subject without wildcards`);
    }
    if (subjectsCollide(prefix, "$JS.API")) refuseExtra(10021, { prefix, subject: "$JS.API" });
  }
}

// A stream that gets its own messages back would never end.
function checkCycle(config: WholeStreamConfig, others: Others): void {
  const visited = new Set<string>();
  const toVisit: StreamConfig[] = [config];
  for (const { name, subjects = [name], sources = [], mirror } of toVisit) {
    if (visited.has(name)) continue;
    visited.add(name);
    for (const { name: origin, external, filter_subject: filter = "" } of sources) {
      if (external !== undefined) continue;
      if (visited.has(origin)) {
        if (filter === "" || subjects.some((subject) => subjectsCollide(subject, filter)))
          invalid("detected cycle");
        continue;
      }
      const other = others.get(origin);
      if (other !== undefined) toVisit.push(other.config);
    }
    if (mirror === undefined || mirror.external !== undefined) continue;
    if (visited.has(mirror.name)) invalid("detected cycle");
    const other = others.get(mirror.name);
    if (other !== undefined) toVisit.push(other.config);
  }
}
