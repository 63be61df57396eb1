// The fields of streams, consumers and their infos: each says what it is, and which server it needs where 2.9 has it not.
import assert from "node:assert/strict";
import { test } from "node:test";
import { fieldsIn } from "../fixtures/declared.ts";

const fields = fieldsIn("account.ts", "api.ts", "consumer.ts", "stream.ts");

// conformance 1.3
const SINCE = {
  "2.10": [
    ...[
      "StreamUpdateConfig.compression",
      "StreamUpdateConfig.consumer_limits",
      "StreamUpdateConfig.metadata",
    ],
    ...["StreamUpdateConfig.subject_transform", "StreamConfig.first_seq", "StreamSource.subject_transforms"],
    ...["ConsumerUpdateConfig.filter_subjects", "ConsumerUpdateConfig.metadata"],
    ...["StreamInfo.ts", "ConsumerInfo.ts", "ClusterInfo.raft_group"],
    ...["StreamSourceInfo.filter_subject", "StreamSourceInfo.subject_transforms"],
    ...["JetStreamUsage.reserved_memory", "JetStreamUsage.reserved_storage"],
  ],
  "2.11": [
    ...["StreamUpdateConfig.allow_msg_ttl", "StreamUpdateConfig.subject_delete_marker_ttl"],
    ...["ConsumerConfig.pause_until", "ConsumerUpdateConfig.priority_groups"],
    ...["ConsumerUpdateConfig.priority_policy", "ConsumerUpdateConfig.priority_timeout"],
    ...["ConsumerInfo.paused", "ConsumerInfo.pause_remaining", "ConsumerInfo.priority_groups"],
    ...["ClusterInfo.leader_since", "ClusterInfo.system_account", "ClusterInfo.traffic_account"],
    ...["Placement.preferred", "JetStreamApiStats.level", "Pedantic.pedantic", "MsgGetRequest.start_time"],
    ...["DirectGetRequest.batch", "DirectGetRequest.max_bytes", "DirectGetRequest.multi_last"],
    ...["DirectGetRequest.up_to_seq", "DirectGetRequest.up_to_time"],
  ],
  "2.12": [
    ...["StreamUpdateConfig.allow_atomic", "StreamUpdateConfig.allow_msg_schedules"],
    ...["StreamConfig.allow_msg_counter", "StreamConfig.persist_mode", "MsgGetRequest.no_hdr"],
  ],
  "2.14": ["StreamUpdateConfig.allow_batched", "StreamSource.consumer", "ConsumerConfig.sourcing"],
  "2.15": ["ClusterInfo.desired", "PeerInfo.pending", "StreamSourceInfo.seq"],
};

test("every field of streams, consumers and infos says what it is", () => {
  assert.ok(fields.length > 180, `only ${fields.length} fields were found`);
  // the server that it needs says nothing of what it is
  const silent = fields.filter(({ doc }) => doc.replace(/Server 2\.\d+\.?/, "").trim() === "");
  assert.deepEqual(
    silent.map(({ of, name }) => `${of}.${name}`),
    [],
  );
});

test("every field that 2.9 does not have names the server that has it, and no other does", () => {
  const said = Object.fromEntries(Object.keys(SINCE).map((version) => [version, [] as string[]]));
  for (const { of, name, doc } of fields) {
    const [, version] = /\bServer (2\.\d+)/.exec(doc) ?? [];
    if (version !== undefined) (said[version] ??= []).push(`${of}.${name}`);
  }
  for (const [version, names] of Object.entries(SINCE))
    assert.deepEqual(said[version]?.sort(), names.sort(), version);
  assert.deepEqual(Object.keys(said).sort(), Object.keys(SINCE).sort());
});
