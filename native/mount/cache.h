// Blocks of remote objects in one arena of fixed size, shared by all readers of a process.
//
// A block is kBlock bytes of one object (the last one of an object may be shorter). Its life: absent -> loading (a
// fetch owns its slot) -> ready -> evicted, least recently used first. A reader that has to wait pins its blocks, so
// they cannot be evicted under it; at most half of the arena can be pinned that way (further readers queue), so a fetch
// that a reader waits for always finds a slot sooner or later. Thread-safe; no Python here.
#ifndef CINEMILL_MOUNT_CACHE_H_
#define CINEMILL_MOUNT_CACHE_H_

#include <sys/uio.h>

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <list>
#include <mutex>
#include <unordered_map>
#include <utility>
#include <vector>

namespace cinemill::mount {

inline constexpr std::size_t kBlock = 32768;
inline constexpr std::size_t kMostRead = std::size_t{1} << 20;  // longest read of one waiter, bytes

struct Range {
  std::uint64_t offset;
  std::uint64_t length;
};

struct CacheStats {
  std::uint64_t blocks = 0;        // slots of the arena
  std::uint64_t ready = 0;         // blocks that hold bytes
  std::uint64_t loading = 0;       // blocks that a fetch owns
  std::uint64_t hits = 0;          // reads answered at once
  std::uint64_t misses = 0;        // reads that had to wait
  std::uint64_t filled_bytes = 0;  // bytes that fetches delivered
  std::uint64_t read_bytes = 0;    // bytes that readers got
  std::uint64_t wasted_bytes = 0;  // bytes evicted before anybody read them
};

// A block that made room for another, or whose file was forgotten.
struct Evicted {
  std::uint64_t object;
  std::uint64_t index;
  std::uint32_t length;
  bool used;  // a reader got it
};

struct Block;

// One read that waits. Lives on its reader's stack, or in the binding's ticket.
struct Waiter {
  std::uint64_t object = 0;
  std::uint64_t first = 0;  // block numbers, inclusive
  std::uint64_t last = 0;
  std::size_t missing = 0;  // blocks not ready
  int error = 0;            // errno; EAGAIN: a fetch was given up, ask again
  std::vector<Block*> pinned;
  std::condition_variable changed;
};

class BlockCache {
 public:
  explicit BlockCache(std::size_t budget);  // bytes; at least 4 MiB; throws std::bad_alloc
  ~BlockCache();
  BlockCache(const BlockCache&) = delete;
  BlockCache& operator=(const BlockCache&) = delete;

  void touch();  // make the whole arena resident now

  // Byte ranges of [offset, offset + length) that nobody has or loads; they are loading from here on and the caller
  // owes each a fill or a fail. `second` is false where slots ran out before the end. A spare claim (read-ahead) leaves
  // a quarter of the arena to readers. Waits up to wait_s for a slot.
  std::pair<std::vector<Range>, bool> claim(std::uint64_t object, std::uint64_t size, Range wanted, bool spare,
                                            double wait_s);
  // Memory of a claimed range in one piece from `offset` on (where its last fill ended), at most `most` bytes: whoever
  // owes the fill may write there and then call `fill` with that very memory, which copies nothing. Empty: not claimed.
  iovec room(std::uint64_t object, std::uint64_t size, std::uint64_t offset, std::size_t most);
  // Bytes of a claimed range; `offset` continues where the last fill of that range ended. False: it was not claimed.
  bool fill(std::uint64_t object, std::uint64_t size, std::uint64_t offset, const std::uint8_t* data,
            std::size_t length);
  // Gives up what is still loading in a claimed range; readers that wait for it get `error`.
  void fail(std::uint64_t object, Range given_up, int error);
  void forget(std::uint64_t object);  // drops its blocks that nobody waits for
  bool has(std::uint64_t object, std::uint64_t size, Range wanted);

  // Reads: `try_pin` pins ready blocks and tells where the bytes are, or false; `unpin` afterwards.
  bool try_pin(std::uint64_t object, std::uint64_t size, Range wanted, std::vector<iovec>& pieces,
               std::vector<Block*>& pinned);
  void unpin(std::vector<Block*>& pinned);
  void enter(Waiter& waiter, std::uint64_t object, std::uint64_t size, Range wanted);
  int wait(Waiter& waiter, double seconds);  // 0, ETIMEDOUT, EINTR (interrupt), EAGAIN, or a fetch's errno
  void pieces(const Waiter& waiter, Range wanted, std::vector<iovec>& pieces);
  void leave(Waiter& waiter);
  void interrupt(Waiter& waiter);

  CacheStats stats();
  void watch();                    // from here on, keep what is evicted
  std::vector<Evicted> evicted();  // since the last call; at most kMostEvicted are kept

 private:
  static constexpr std::size_t kMostEvicted = 65536;
  Block* take(std::uint64_t object, std::uint64_t index, std::size_t length, bool spare);
  void ready(Block& block);
  void release(Block& block);
  void drop_if_idle(Block& block);
  void evict(Block& block);
  static std::size_t length_of(std::uint64_t index, std::uint64_t size);
  void where(const std::vector<Block*>& blocks, Range wanted, std::vector<iovec>& pieces) const;

  std::mutex mutex_;
  std::condition_variable slots_;    // a slot may have become free
  std::condition_variable waiting_;  // a waiter left
  std::uint8_t* arena_ = nullptr;
  std::size_t count_ = 0;
  std::size_t held_ = 0;  // blocks that waiters pin, counted once per waiter
  std::vector<std::uint32_t> free_;
  std::unordered_map<std::uint64_t, Block> blocks_;
  std::list<Block*> idle_;  // ready and not pinned, least recently used first
  std::list<Waiter*> waiters_;
  CacheStats stats_;
  bool watched_ = false;
  std::vector<Evicted> evicted_;
};

}  // namespace cinemill::mount

#endif  // CINEMILL_MOUNT_CACHE_H_
