/* The floor: what the system calls of a DNS server cost by themselves. Reads and sends up to 64 datagrams at a time on
 * 127.0.0.1, each sent back with the QR bit set (RFC 1035 section 4.1.1), and does nothing else. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { BATCH = 64, ROOM = 512 };

int main(int count, char **given) {
  static unsigned char octets[BATCH][ROOM];
  static struct sockaddr_in from[BATCH];
  static struct iovec parts[BATCH];
  static struct mmsghdr messages[BATCH];
  struct sockaddr_in here = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  int sock = socket(AF_INET, SOCK_DGRAM, 0);
  if (count != 2) {
    fprintf(stderr, "echo PORT\n");
    return 2;
  }
  here.sin_port = htons(atoi(given[1]));
  if (bind(sock, (struct sockaddr *)&here, sizeof here)) {
    perror("bind");
    return 1;
  }
  for (;;) {
    for (int i = 0; i < BATCH; i++) {
      parts[i] = (struct iovec){octets[i], ROOM};
      messages[i].msg_hdr = (struct msghdr){
          .msg_name = &from[i], .msg_namelen = sizeof from[i], .msg_iov = &parts[i], .msg_iovlen = 1};
    }
    int got = recvmmsg(sock, messages, BATCH, MSG_WAITFORONE, NULL);
    for (int i = 0; i < got; i++) {
      parts[i].iov_len = messages[i].msg_len;
      octets[i][2] |= 0x80;
    }
    for (int sent = 0; sent < got;) {
      int done = sendmmsg(sock, messages + sent, got - sent, 0);
      sent += done > 0 ? done : 1;
    }
  }
}
