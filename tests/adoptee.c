/* A program that somebody else started. In each round it does one thing that can be interrupted, checks that it
 * went as it should, and adds a line to a chain: "N SUM", on stdout and in a file if one is named. It ends with 7 in the round that finds a file "end", and
 * with 1 where something went wrong. */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define MS 1000000LL

static void fail(const char *what) {
  printf("wrong: %s: %s\n", what, strerror(errno));
  fflush(stdout);
  exit(1);
}

static long long now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000LL * MS + t.tv_nsec;
}

static void rest(long long ns) {
  struct timespec t = {ns / (1000 * MS), ns % (1000 * MS)};
  while (nanosleep(&t, &t) < 0) {
  }
}

/* read: somebody writes a byte now and then. */
static int ends[2];
static void *writer(void *unused) {
  for (uint64_t i = 0;; i++) {
    rest(7 * MS);
    unsigned char byte = i % 251;
    if (write(ends[1], &byte, 1) != 1) fail("write");
  }
  return unused;
}
static void do_read(uint64_t round) {
  unsigned char byte;
  if (read(ends[0], &byte, 1) != 1) fail("read");
  if (byte != (round - 1) % 251) fail("the bytes are not in order");
}

static void do_nanosleep(uint64_t round) {
  struct timespec t = {0, 12 * MS};
  long long start = now();
  if (nanosleep(&t, NULL) != 0) fail("nanosleep");
  if (now() - start < 12 * MS) fail("nanosleep was too short");
  (void)round;
}

/* futex: a condition that somebody signals, and one that nobody does. */
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER, never = PTHREAD_COND_INITIALIZER;
static uint64_t given, taken;
static void *signaller(void *unused) {
  for (;;) {
    rest(7 * MS);
    pthread_mutex_lock(&mutex);
    given++;
    pthread_cond_signal(&changed);
    pthread_mutex_unlock(&mutex);
  }
  return unused;
}
static void do_futex(uint64_t round) {
  struct timespec limit;
  pthread_mutex_lock(&mutex);
  while (given == taken) pthread_cond_wait(&changed, &mutex);
  taken++;
  clock_gettime(CLOCK_REALTIME, &limit);
  limit.tv_nsec += 5 * MS;
  if (limit.tv_nsec >= 1000 * MS) limit.tv_sec++, limit.tv_nsec -= 1000 * MS;
  if (pthread_cond_timedwait(&never, &mutex, &limit) != ETIMEDOUT) fail("timedwait");
  pthread_mutex_unlock(&mutex);
  (void)round;
}

/* epoll_wait: a stop of the process is seen by nobody. */
static int events, ready;
static void *poster(void *unused) {
  for (;;) {
    uint64_t one = 1;
    rest(7 * MS);
    if (write(events, &one, sizeof one) != sizeof one) fail("eventfd");
  }
  return unused;
}
static void do_epoll(uint64_t round) {
  struct epoll_event event;
  uint64_t count;
  int found = epoll_wait(ready, &event, 1, -1);
#if defined(__x86_64__)
  if (found != 1) fail("epoll_wait");
#else
  if (found != 1 && errno != EINTR) fail("epoll_wait");
  if (found != 1) return;
#endif
  if (read(events, &count, sizeof count) != sizeof count) fail("read of events");
  (void)round;
}

/* A call that is restarted with the rest of its time. */
static void do_poll(uint64_t round) {
  long long start = now();
  if (poll(NULL, 0, 12) != 0) fail("poll");
  if (now() - start < 12 * MS) fail("poll was too short");
  (void)round;
}

/* A call that ends when a handler has run, and only then. */
static volatile sig_atomic_t alarms;
static void on_alarm(int unused) {
  (void)unused;
  alarms++;
}
static void do_sigsuspend(uint64_t round) {
  struct itimerval once = {{0, 0}, {0, 9000}};
  sigset_t none;
  int before = alarms;
  sigemptyset(&none);
  setitimer(ITIMER_REAL, &once, NULL);
  if (sigsuspend(&none) != -1 || errno != EINTR) fail("sigsuspend");
  if (alarms != before + 1) fail("sigsuspend without its handler");
  (void)round;
}

/* A loop in the vDSO. */
static void do_clock(uint64_t round) {
  long long last = now();
  for (int i = 0; i < 200000; i++) {
    long long next = now();
    if (next < last) fail("the clock went back");
    last = next;
  }
  (void)round;
}

/* Many threads that compute, in registers of all kinds. */
static void *computer(void *argument) {
  uint64_t sum = (uint64_t)(uintptr_t)argument;
  double real = 1;
  for (int i = 1; i <= 400000; i++) {
    sum = sum * 6364136223846793005ULL + 1442695040888963407ULL;
    real = real * 1.0000001 + (double)i / 3;
  }
  uint64_t bits;
  memcpy(&bits, &real, sizeof bits);
  return (void *)(uintptr_t)(sum ^ bits);
}
static void do_threads(uint64_t round) {
  pthread_t threads[4];
  void *results[4], *again;
  for (uintptr_t i = 0; i < 4; i++) pthread_create(&threads[i], NULL, computer, (void *)(i % 2));
  for (int i = 0; i < 4; i++) pthread_join(threads[i], &results[i]);
  again = computer((void *)0);
  if (results[0] != results[2] || results[1] != results[3] || results[0] != again) fail("the threads disagree");
  (void)round;
}

/* One long sleep, of which nothing may be lost or done twice. */
static void do_long_sleep(uint64_t round) {
  struct timespec t = {2, 0};
  long long start = now();
  if (nanosleep(&t, NULL) != 0) fail("nanosleep");
  if (now() - start < 2000 * MS) fail("nanosleep was too short");
  (void)round;
}

static void background(void *(*work)(void *)) {
  pthread_t thread;
  if (pthread_create(&thread, NULL, work, NULL) != 0) fail("pthread_create");
}

int main(int argc, char **argv) {
  const char *mode = argc > 1 ? argv[1] : "";
  void (*work)(uint64_t) = NULL;
  struct sigaction action = {.sa_handler = on_alarm};
  sigset_t alarm_only;
  if (!strcmp(mode, "read")) {
    if (pipe(ends) < 0) fail("pipe");
    background(writer), work = do_read;
  } else if (!strcmp(mode, "nanosleep")) {
    work = do_nanosleep;
  } else if (!strcmp(mode, "futex")) {
    background(signaller), work = do_futex;
  } else if (!strcmp(mode, "epoll")) {
    struct epoll_event event = {.events = EPOLLIN};
    events = eventfd(0, EFD_SEMAPHORE), ready = epoll_create1(0);
    if (epoll_ctl(ready, EPOLL_CTL_ADD, events, &event) < 0) fail("epoll_ctl");
    background(poster), work = do_epoll;
  } else if (!strcmp(mode, "poll")) {
    work = do_poll;
  } else if (!strcmp(mode, "sigsuspend")) {
    sigaction(SIGALRM, &action, NULL);
    sigemptyset(&alarm_only), sigaddset(&alarm_only, SIGALRM);
    sigprocmask(SIG_BLOCK, &alarm_only, NULL);
    work = do_sigsuspend;
  } else if (!strcmp(mode, "clock")) {
    work = do_clock;
  } else if (!strcmp(mode, "threads")) {
    work = do_threads;
  } else if (!strcmp(mode, "long-sleep")) {
    work = do_long_sleep;
  } else {
    fail("no such mode");
  }
  uint64_t sum = 0;
  FILE *copy = argc > 2 ? fopen(argv[2], "w") : NULL;
  for (uint64_t round = 1;; round++) {
    work(round);
    sum = (sum * 31 + round) % 1000003;
    printf("%llu %llu\n", (unsigned long long)round, (unsigned long long)sum);
    fflush(stdout);
    if (copy) fprintf(copy, "%llu %llu\n", (unsigned long long)round, (unsigned long long)sum), fflush(copy);
    if (access("end", F_OK) == 0) return 7;
  }
}
