// cinemill-exec: starts one child tool that dies with its parent and keeps to its limits.
//
//     cinemill-exec [--parent PID] [--memory-mb N] [--nice N] [--cpu-s N] -- argv...
//
// It becomes the tool (execvp): no process stays between the two, so signals, pipes and the exit code are the
// tool's own. A program of its own rather than Python's preexec_fn, which is unsafe with threads and forces fork
// over the faster vfork (docs/adr/0003-exec-launcher.md).
//
// Order matters: die-with-parent first (a crash of the parent while we set the rest must not leave an orphan), then
// the limits, then exec. Any step that fails ends with one line on stderr and exit code 127, as a shell does when
// it cannot start a command: a tool that runs without its limits is worse than one that does not run.

#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace {

constexpr int kCannotStart = 127;
constexpr long kNotGiven = -1;

struct Options {
  long parent = kNotGiven;     // process id that must still be our parent
  long memory_mb = kNotGiven;  // private writable memory (heap and anonymous maps), MiB
  long nice = 0;               // added to the inherited niceness, 0 to 19
  long cpu_s = kNotGiven;      // processor time, seconds
  char** argv = nullptr;       // the tool and its arguments, ends with a null pointer
};

[[noreturn]] void fail(const char* what, const char* why) {
  std::fprintf(stderr, "cinemill-exec: %s: %s\n", what, why);
  std::exit(kCannotStart);
}

[[noreturn]] void fail_errno(const char* what) { fail(what, std::strerror(errno)); }

long parse_number(const char* option, const char* text, long low, long high) {
  char* end = nullptr;
  errno = 0;
  const long value = std::strtol(text, &end, 10);
  if (errno != 0 || end == text || *end != '\0' || value < low || value > high) {
    std::fprintf(stderr, "cinemill-exec: %s %s: wanted a whole number from %ld to %ld\n", option, text, low, high);
    std::exit(kCannotStart);
  }
  return value;
}

Options parse(int argc, char** argv) {
  Options options;
  int i = 1;
  for (; i < argc && std::strcmp(argv[i], "--") != 0; i += 2) {
    const char* name = argv[i];
    if (i + 1 >= argc) fail(name, "wanted a value after it");
    const char* text = argv[i + 1];
    if (std::strcmp(name, "--parent") == 0) {
      options.parent = parse_number(name, text, 1, INT_MAX);
    } else if (std::strcmp(name, "--memory-mb") == 0) {
      options.memory_mb = parse_number(name, text, 1, LONG_MAX >> 20);
    } else if (std::strcmp(name, "--nice") == 0) {
      options.nice = parse_number(name, text, 0, 19);
    } else if (std::strcmp(name, "--cpu-s") == 0) {
      options.cpu_s = parse_number(name, text, 1, INT_MAX);
    } else {
      fail(name, "unknown option; known are --parent, --memory-mb, --nice, --cpu-s");
    }
  }
  if (i + 1 >= argc) fail("no command", "wanted `-- argv...` at the end");
  options.argv = argv + i + 1;
  return options;
}

// The kernel signals us when the *thread* that forked us ends. A parent that ended before the call sends nothing,
// so we look afterwards whether it is still there.
void die_with(long parent) {
  if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) fail_errno("PR_SET_PDEATHSIG");
  if (parent != kNotGiven && static_cast<long>(getppid()) != parent) {
    fail("parent", "it ended before the command could start");
  }
}

// SVT-AV1 run by root takes real-time priority over the whole machine wherever it may (it falsifies every timing).
// Out of the bounding set a capability cannot come back at exec, not even for root; the other four sets make the
// loss effective at once. Who is not root has nothing to lose: the bounding set then refuses with EPERM.
void drop_sys_nice() {
  if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_LOWER, CAP_SYS_NICE, 0, 0) != 0 && errno != EINVAL) {
    fail_errno("PR_CAP_AMBIENT_LOWER");
  }
  if (prctl(PR_CAPBSET_DROP, CAP_SYS_NICE) != 0 && errno != EPERM) fail_errno("PR_CAPBSET_DROP");

  __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3] = {};
  if (syscall(SYS_capget, &header, sets) != 0) fail_errno("capget");
  const unsigned keep = ~CAP_TO_MASK(CAP_SYS_NICE);
  auto& set = sets[CAP_TO_INDEX(CAP_SYS_NICE)];
  set.effective &= keep;
  set.permitted &= keep;
  set.inheritable &= keep;
  if (syscall(SYS_capset, &header, sets) != 0) fail_errno("capset");
}

// Sets the soft limit, and the hard one too so that the tool cannot raise it again. An inherited hard limit that is
// stricter than what we ask for stays.
void limit(__rlimit_resource_t resource, rlim_t soft, rlim_t hard, const char* name) {
  rlimit inherited{};
  if (getrlimit(resource, &inherited) != 0) fail_errno(name);
  const rlim_t top = hard < inherited.rlim_max ? hard : inherited.rlim_max;
  const rlimit wanted = {soft < top ? soft : top, top};
  if (setrlimit(resource, &wanted) != 0) fail_errno(name);
}

void set_limits(const Options& options) {
  // nice() may return -1 as a value: only errno tells.
  errno = 0;
  if (options.nice > 0 && nice(static_cast<int>(options.nice)) == -1 && errno != 0) fail_errno("nice");
  drop_sys_nice();
  limit(RLIMIT_RTPRIO, 0, 0, "RLIMIT_RTPRIO");
  limit(RLIMIT_CORE, 0, 0, "RLIMIT_CORE");
  if (options.memory_mb != kNotGiven) {
    const rlim_t bytes = static_cast<rlim_t>(options.memory_mb) << 20;
    limit(RLIMIT_DATA, bytes, bytes, "RLIMIT_DATA");
  }
  if (options.cpu_s != kNotGiven) {
    // SIGXCPU at the limit lets a tool end by itself; SIGKILL follows two seconds of work later.
    const rlim_t seconds = static_cast<rlim_t>(options.cpu_s);
    limit(RLIMIT_CPU, seconds, seconds + 2, "RLIMIT_CPU");
  }
}

}  // namespace

int main(int argc, char** argv) {
  const Options options = parse(argc, argv);
  die_with(options.parent);
  set_limits(options);
  execvp(options.argv[0], options.argv);
  fail_errno(options.argv[0]);
}
