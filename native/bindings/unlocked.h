// Lets go of the GIL while it lives.
#pragma once

#include <Python.h>
#include <unistd.h>

namespace cinemill::bindings {

// Unlike nanobind's own guard it lets a process end while threads of it are in here. Before Python 3.14 a daemon thread
// that asks for the GIL of an ending interpreter is unwound (pthread_exit), and a destructor must not be: the process
// would abort. Such a thread stops here instead, until the process is gone.
class Unlocked {
 public:
  Unlocked() noexcept : thread_(PyEval_SaveThread()) {}
  ~Unlocked() {
    try {
      PyEval_RestoreThread(thread_);
    } catch (...) {
      while (true) pause();
    }
  }
  Unlocked(const Unlocked&) = delete;
  Unlocked& operator=(const Unlocked&) = delete;

 private:
  PyThreadState* thread_;
};

}  // namespace cinemill::bindings
