/* The floor: what no program that does the work of `hap` can avoid, and nothing else.
 *
 * It believes everything, checks nothing and promises nothing: no lock, no confirmed start, no sync, no room kept for
 * the end. What is slower than this by more than those promises cost is slower than it need be.
 *
 *   floor nothing                  ends at once: what it costs to start any program
 *   floor run DIR COMMAND [ARG]... a new id, a directory, seven small files, two forks, setsid, a supervisor that
 *                                  waits and writes the exit code
 *   floor list DIR                 reads the file `record` of every hap
 *   floor stamp FIFO               what the benchmark starts: tells FIFO when its first instruction ran
 *   floor end GO FIFO              waits until GO is closed, tells FIFO when it ends, ends with the code 3
 *
 * cc -static -Os -o floor floor.c
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static void put(const char *name, const char *text, size_t length) {
    int file = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (file < 0 || write(file, text, length) < 0) _exit(111);
    close(file);
}

static void put_strings(const char *name, char **strings) {
    static char text[1 << 17];
    size_t length = 0;
    for (; *strings; strings++) {
        size_t more = strlen(*strings) + 1;
        if (length + more > sizeof text) _exit(111);
        memcpy(text + length, *strings, more);
        length += more;
    }
    put(name, text, length);
}

/* The next id is one more than what the file `last` says; it is taken when its directory can be made. */
static void new_directory(void) {
    char text[12] = "";
    int last = open("last", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (last < 0 || read(last, text, sizeof text - 1) < 0) _exit(111);
    int id = atoi(text);
    do snprintf(text, sizeof text, "%d", ++id);
    while (mkdir(text, 0700) < 0);
    pwrite(last, text, strlen(text), 0);
    close(last);
    if (chdir(text) < 0) _exit(111);
}

static void become(char **command, int workdir) {
    int null = open("/dev/null", O_RDONLY);
    int out = open("stdout.log", O_WRONLY | O_APPEND), err = open("stderr.log", O_WRONLY | O_APPEND);
    dup2(null, 0), dup2(out, 1), dup2(err, 2);
    close(null), close(out), close(err);
    setsid();
    fchdir(workdir);
    execvp(command[0], command);
    _exit(127);
}

static void supervise(char **command, int workdir) {
    setsid();
    pid_t pid = fork();
    if (pid == 0) become(command, workdir);
    int null = open("/dev/null", O_RDWR), status = 0;
    dup2(null, 0), dup2(null, 1), dup2(null, 2);
    char text[128];
    put("pid", text, snprintf(text, sizeof text, "%d %d\n", getpid(), pid));
    waitpid(pid, &status, 0);
    int code = WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
    put("end.new", text, snprintf(text, sizeof text, "%d\n", code));
    rename("end.new", "end");
    _exit(0);
}

static int run(const char *state, char **command) {
    int workdir = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (chdir(state) < 0) return 111;
    new_directory();
    char *cwd = getcwd(NULL, 0);
    put("record", "{\"version\":1}\n", 14);
    put("lock", "", 0);
    put_strings("cmdline", command);
    put_strings("environ", environ);
    symlink(cwd, "cwd");
    put("stdout.log", "", 0);
    put("stderr.log", "", 0);
    pid_t pid = fork();
    if (pid == 0) supervise(command, workdir);
    printf("%d\n", pid);
    return pid < 0;
}

static int list(const char *state) {
    static char text[1 << 16];
    DIR *haps = opendir(state);
    if (!haps) return 111;
    for (struct dirent *entry; (entry = readdir(haps));) {
        snprintf(text, sizeof text, "%s/record.json", entry->d_name);
        int file = openat(dirfd(haps), text, O_RDONLY | O_CLOEXEC);
        if (file < 0) continue;
        while (read(file, text, sizeof text) > 0);
        close(file);
    }
    return 0;
}

static int stamp(const char *fifo, int code) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    int file = open(fifo, O_WRONLY);
    long long time = now.tv_sec * 1000000000LL + now.tv_nsec;
    if (write(file, &time, sizeof time) < 0) return 111;
    return code;
}

static int end(const char *go, const char *fifo) {
    char byte;
    int file = open(go, O_RDONLY);
    while (read(file, &byte, 1) > 0);
    _exit(stamp(fifo, 3));
}

int main(int count, char **words) {
    const char *verb = count > 1 ? words[1] : "nothing";
    if (!strcmp(verb, "run") && count > 3) return run(words[2], words + 3);
    if (!strcmp(verb, "list") && count > 2) return list(words[2]);
    if (!strcmp(verb, "stamp") && count > 2) return stamp(words[2], 0);
    if (!strcmp(verb, "end") && count > 3) return end(words[2], words[3]);
    return 0;
}
