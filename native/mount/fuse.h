// The loop on /dev/fuse: answers reads from the block cache, hands everything else over as events.
//
// Speaks the kernel's FUSE protocol (linux/fuse.h, 7.31 or newer) without libfuse. Each thread takes a request, answers
// it and takes the next; when the last idle one is about to wait, another is started (up to kMostThreads). Reads whose
// blocks are ready never leave this file. The others, and all other requests, become events: whoever drains them
// (mezzfs/mount/) claims blocks and fetches, or replies. Thread-safe; no Python here.
#ifndef CINEMILL_MOUNT_FUSE_H_
#define CINEMILL_MOUNT_FUSE_H_

#include <atomic>
#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "mount/cache.h"

namespace cinemill::mount {

struct Event {
  enum class Kind : std::uint32_t { kRead = 0, kRequest = 1, kEnd = 2 };
  Kind kind = Kind::kRead;
  bool missed = false;           // read: somebody waits for it
  std::uint32_t opcode = 0;      // request
  std::uint64_t handle = 0;      // read: file handle
  std::uint64_t offset = 0;      // read
  std::uint64_t length = 0;      // read; neighbouring hits are joined into one event
  std::uint64_t thought_us = 0;  // read: how long the reader asked for nothing before
  std::uint64_t unique = 0;      // request: what to reply to
  std::uint64_t node = 0;        // request
  std::uint32_t uid = 0;         // request: who asks
  std::uint32_t gid = 0;
  std::string payload;  // request: bytes after the header
};

struct FuseStats {
  std::uint64_t requests = 0;
  std::uint64_t reads = 0;
  std::uint64_t interrupts = 0;
  std::uint64_t threads = 0;
  std::vector<std::uint64_t> latency;  // reads by floor(log2(microseconds))
};

class FuseServer {
 public:
  FuseServer(int device, BlockCache& cache, double timeout_s);  // takes a duplicate of the descriptor
  ~FuseServer();
  FuseServer(const FuseServer&) = delete;
  FuseServer& operator=(const FuseServer&) = delete;

  void start();
  void stop();  // after the unmount: joins the threads
  void open(std::uint64_t handle, std::uint64_t object, std::uint64_t size);
  void break_handle(std::uint64_t handle, int error);  // every later read of it fails so
  void close(std::uint64_t handle);
  bool reply(std::uint64_t unique, int error, const void* data, std::size_t length);
  std::vector<Event> next_events(double seconds);  // empty: nothing happened
  FuseStats stats();

 private:
  static constexpr std::size_t kMostThreads = 64;
  static constexpr std::size_t kMostEvents = 4096;  // reads that nobody waits for are dropped beyond
  static constexpr std::size_t kBuckets = 32;
  struct Open {
    std::uint64_t object;
    std::uint64_t size;
    int error;
    int reading = 0;           // reads that wait for an answer
    std::int64_t left_us = 0;  // when the last of them got it; 0: never read
  };

  void spawn();
  void loop();
  void handle(const std::uint8_t* request, std::size_t length);
  void init(const std::uint8_t* request);
  void read(const std::uint8_t* request);
  int answer(std::uint64_t unique, const Open& file, Event&& event, std::int64_t& left_us);
  int answer_slowly(std::uint64_t unique, const Open& file, Event&& event, std::int64_t& left_us);
  Open began(std::uint64_t handle, std::uint64_t& thought_us);
  void ended(std::uint64_t handle, std::int64_t left_us);
  void interrupt(std::uint64_t unique);
  void push(Event&& event);
  bool send(std::uint64_t unique, int error, std::vector<iovec>& pieces);

  int device_;
  BlockCache& cache_;
  double timeout_s_;
  std::mutex threads_mutex_;
  std::vector<std::thread> threads_;
  std::atomic<int> idle_{0};
  std::atomic<bool> ended_{false};
  std::mutex files_mutex_;
  std::unordered_map<std::uint64_t, Open> files_;
  std::mutex flight_mutex_;
  std::unordered_map<std::uint64_t, Waiter*> flight_;
  std::mutex events_mutex_;
  std::condition_variable events_changed_;
  std::deque<Event> events_;
  std::uint64_t quiet_bytes_ = 0;  // read without a miss since the last drain
  bool urgent_ = false;
  std::atomic<std::uint64_t> requests_{0};
  std::atomic<std::uint64_t> reads_{0};
  std::atomic<std::uint64_t> interrupts_{0};
  std::atomic<std::uint64_t> latency_[kBuckets] = {};
};

}  // namespace cinemill::mount

#endif  // CINEMILL_MOUNT_FUSE_H_
