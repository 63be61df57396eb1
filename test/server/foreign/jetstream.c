// What a program in C does with JetStream: a stream, publishes with ids, a pull consumer, acknowledgements, a bucket.
// usage: jetstream URL. Prints what it sees.
#include <nats/nats.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MUST(call)                                                                     \
  do {                                                                                 \
    natsStatus status = (call);                                                        \
    if (status != NATS_OK) {                                                           \
      fprintf(stderr, "%s: %s\n", #call, natsStatus_GetText(status));                  \
      exit(1);                                                                         \
    }                                                                                  \
  } while (0)

static void publish(jsCtx *js, const char *subject, const char *text, const char *id) {
  jsPubAck *ack = NULL;
  jsPubOptions options;
  jsErrCode code = 0;
  jsPubOptions_Init(&options);
  options.MsgId = id;
  MUST(js_Publish(&ack, js, subject, text, (int)strlen(text), &options, &code));
  printf("stored: %s %d%s\n", ack->Stream, (int)ack->Sequence, ack->Duplicate ? " again" : "");
  jsPubAck_Destroy(ack);
}

static void print(kvEntry *entry) {
  if (entry == NULL) {
    printf("watch: synced\n");
    return;
  }
  printf("watch: %s %s %d %d\n", kvEntry_Key(entry), kvEntry_ValueString(entry),
         (int)kvEntry_Revision(entry), (int)kvEntry_Operation(entry));
  kvEntry_Destroy(entry);
}

int main(int argc, char **argv) {
  natsConnection *nc = NULL;
  jsCtx *js = NULL;
  jsStreamConfig config;
  jsStreamInfo *stream = NULL;
  jsConsumerInfo *consumer = NULL;
  jsErrCode code = 0;
  const char *subjects[] = {"orders.*"};
  natsSubscription *sub = NULL;
  natsMsgList list;
  kvConfig bucket;
  kvStore *kv = NULL;
  kvEntry *entry = NULL;
  kvWatcher *watcher = NULL;
  uint64_t revision = 0;

  if (argc != 2) return 2;
  MUST(natsConnection_ConnectTo(&nc, argv[1]));
  MUST(natsConnection_JetStream(&js, nc, NULL));

  jsStreamConfig_Init(&config);
  config.Name = "ORDERS";
  config.Subjects = subjects;
  config.SubjectsLen = 1;
  config.Storage = js_MemoryStorage;
  MUST(js_AddStream(&stream, js, &config, NULL, &code));
  printf("stream: %s\n", stream->Config->Name);
  jsStreamInfo_Destroy(stream);

  publish(js, "orders.a", "one", "id-1");
  publish(js, "orders.a", "one", "id-1");
  publish(js, "orders.b", "two", "id-2");

  MUST(js_PullSubscribe(&sub, js, "orders.*", "worker", NULL, NULL, &code));
  MUST(natsSubscription_Fetch(&list, sub, 2, 5000, &code));
  for (int i = 0; i < list.Count; i++) {
    natsMsg *msg = list.Msgs[i];
    printf("got: %s %.*s\n", natsMsg_GetSubject(msg), natsMsg_GetDataLength(msg), natsMsg_GetData(msg));
    MUST(natsMsg_AckSync(msg, NULL, &code));
  }
  natsMsgList_Destroy(&list);
  MUST(js_GetConsumerInfo(&consumer, js, "ORDERS", "worker", NULL, &code));
  printf("consumer: floor %d, waiting %d\n", (int)consumer->AckFloor.Stream, (int)consumer->NumAckPending);
  jsConsumerInfo_Destroy(consumer);
  natsSubscription_Destroy(sub);

  kvConfig_Init(&bucket);
  bucket.Bucket = "colors";
  bucket.History = 5;
  bucket.StorageType = js_MemoryStorage;
  MUST(js_CreateKeyValue(&kv, js, &bucket));
  MUST(kvStore_PutString(&revision, kv, "sky", "blue"));
  MUST(kvStore_PutString(&revision, kv, "sky", "grey"));
  MUST(kvStore_CreateString(&revision, kv, "grass", "green"));
  printf("create: %s\n", natsStatus_GetText(kvStore_CreateString(&revision, kv, "grass", "brown")));
  MUST(kvStore_Get(&entry, kv, "sky"));
  printf("get: %s %d\n", kvEntry_ValueString(entry), (int)kvEntry_Revision(entry));
  kvEntry_Destroy(entry);
  MUST(kvStore_WatchAll(&watcher, kv, NULL));
  for (int i = 0; i < 3; i++) {
    MUST(kvWatcher_Next(&entry, watcher, 5000));
    print(entry);
  }
  MUST(kvStore_Delete(kv, "sky"));
  MUST(kvWatcher_Next(&entry, watcher, 5000));
  print(entry);
  kvWatcher_Destroy(watcher);
  kvStore_Destroy(kv);

  MUST(js_DeleteStream(js, "ORDERS", NULL, &code));
  jsCtx_Destroy(js);
  natsConnection_Destroy(nc);
  nats_Close();
  return 0;
}
