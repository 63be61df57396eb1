// What a program in C does with a server: publish, subscribe, queue groups, headers, requests, no responders.
// usage: core URL. Prints what it sees.
#include <nats/nats.h>
#include <stdio.h>
#include <stdlib.h>

#define MUST(call)                                                                     \
  do {                                                                                 \
    natsStatus status = (call);                                                        \
    if (status != NATS_OK) {                                                           \
      fprintf(stderr, "%s: %s\n", #call, natsStatus_GetText(status));                  \
      exit(1);                                                                         \
    }                                                                                  \
  } while (0)

static void answer(natsConnection *nc, natsSubscription *sub, natsMsg *msg, void *closure) {
  (void)sub;
  (void)closure;
  MUST(natsConnection_PublishString(nc, natsMsg_GetReply(msg), natsMsg_GetData(msg)));
  natsMsg_Destroy(msg);
}

static void print(natsSubscription *sub, const char *name) {
  natsMsg *msg = NULL;
  const char *color = NULL;
  MUST(natsSubscription_NextMsg(&msg, sub, 5000));
  natsMsgHeader_Get(msg, "Color", &color);
  printf("%s: %s %.*s %s\n", name, natsMsg_GetSubject(msg), natsMsg_GetDataLength(msg),
         natsMsg_GetData(msg), color == NULL ? "-" : color);
  natsMsg_Destroy(msg);
}

int main(int argc, char **argv) {
  natsConnection *nc = NULL;
  natsSubscription *plain = NULL, *one = NULL, *two = NULL, *service = NULL;
  natsMsg *msg = NULL, *reply = NULL;
  uint64_t first = 0, second = 0;

  if (argc != 2) return 2;
  MUST(natsConnection_ConnectTo(&nc, argv[1]));
  MUST(natsConnection_SubscribeSync(&plain, nc, "c.>"));
  MUST(natsConnection_PublishString(nc, "c.plain", "hello"));
  MUST(natsMsg_Create(&msg, "c.header", NULL, "world", 5));
  MUST(natsMsgHeader_Set(msg, "Color", "blue"));
  MUST(natsConnection_PublishMsg(nc, msg));
  natsMsg_Destroy(msg);
  print(plain, "plain");
  print(plain, "plain");

  MUST(natsConnection_QueueSubscribeSync(&one, nc, "work", "group"));
  MUST(natsConnection_QueueSubscribeSync(&two, nc, "work", "group"));
  for (int i = 0; i < 100; i++) MUST(natsConnection_PublishString(nc, "work", "item"));
  MUST(natsConnection_Flush(nc));
  MUST(natsSubscription_QueuedMsgs(one, &first));
  MUST(natsSubscription_QueuedMsgs(two, &second));
  printf("group: %d\n", (int)(first + second));

  MUST(natsConnection_Subscribe(&service, nc, "echo", answer, NULL));
  MUST(natsConnection_RequestString(&reply, nc, "echo", "anybody?", 5000));
  printf("reply: %.*s\n", natsMsg_GetDataLength(reply), natsMsg_GetData(reply));
  natsMsg_Destroy(reply);
  printf("nobody: %s\n", natsStatus_GetText(natsConnection_RequestString(&reply, nc, "void", "?", 5000)));

  natsSubscription_Destroy(plain);
  natsSubscription_Destroy(one);
  natsSubscription_Destroy(two);
  natsSubscription_Destroy(service);
  natsConnection_Destroy(nc);
  nats_Close();
  return 0;
}
