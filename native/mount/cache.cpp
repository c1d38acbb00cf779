#include "mount/cache.h"

#include <sys/mman.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <new>
#include <utility>

namespace cinemill::mount {

enum class State : std::uint8_t { kWanted, kLoading, kReady };  // wanted: a reader waits, no fetch yet, no slot

struct Block {
  std::uint64_t key = 0;
  std::uint32_t slot = 0;
  std::uint32_t length = 0;  // valid bytes once ready
  std::uint32_t filled = 0;  // bytes delivered so far
  std::uint32_t pins = 0;
  State state = State::kWanted;
  bool used = false;  // a reader got it
  std::list<Block*>::iterator place;
};

namespace {

// Object numbers stay below 2^28 and block numbers below 2^36 (an object of 2 PiB).
std::uint64_t key_of(std::uint64_t object, std::uint64_t index) { return object << 36 | index; }

std::uint64_t index_of(std::uint64_t key) { return key & ((std::uint64_t{1} << 36) - 1); }

std::uint64_t last_block(Range range) { return (range.offset + range.length - 1) / kBlock; }

std::chrono::steady_clock::time_point after(double seconds) {
  return std::chrono::steady_clock::now() +
         std::chrono::duration_cast<std::chrono::steady_clock::duration>(std::chrono::duration<double>(seconds));
}

}  // namespace

BlockCache::BlockCache(std::size_t budget) : count_(std::max<std::size_t>(budget, std::size_t{4} << 20) / kBlock) {
  void* memory =
      mmap(nullptr, count_ * kBlock, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) throw std::bad_alloc();
  madvise(memory, count_ * kBlock, MADV_HUGEPAGE);
  arena_ = static_cast<std::uint8_t*>(memory);
  free_.reserve(count_);
  for (std::size_t slot = count_; slot > 0; --slot) free_.push_back(static_cast<std::uint32_t>(slot - 1));
  blocks_.reserve(count_ * 2);
  stats_.blocks = count_;
}

BlockCache::~BlockCache() { munmap(arena_, count_ * kBlock); }

void BlockCache::touch() {
  if (madvise(arena_, count_ * kBlock, MADV_POPULATE_WRITE) == 0) return;
  for (std::size_t at = 0; at < count_ * kBlock; at += 4096) {  // Linux before 5.14
    volatile std::uint8_t* byte = arena_ + at;
    *byte = *byte;
  }
}

std::size_t BlockCache::length_of(std::uint64_t index, std::uint64_t size) {
  return static_cast<std::size_t>(std::min<std::uint64_t>(kBlock, size - index * kBlock));
}

// A slot for a block, or nullptr. Under the lock.
Block* BlockCache::take(std::uint64_t object, std::uint64_t index, std::size_t length, bool spare) {
  if (spare && free_.size() + idle_.size() <= count_ / 4) return nullptr;
  if (free_.empty()) {
    if (idle_.empty()) return nullptr;
    Block& oldest = *idle_.front();
    idle_.pop_front();
    evict(oldest);
  }
  const std::uint64_t key = key_of(object, index);
  Block& block = blocks_[key];
  block.key = key;
  block.slot = free_.back();
  block.length = static_cast<std::uint32_t>(length);
  block.filled = 0;
  block.used = false;
  block.state = State::kLoading;
  free_.pop_back();
  ++stats_.loading;
  return &block;
}

std::pair<std::vector<Range>, bool> BlockCache::claim(std::uint64_t object, std::uint64_t size, Range wanted,
                                                      bool spare, double wait_s) {
  std::vector<Range> runs;
  if (wanted.length == 0 || wanted.offset >= size) return {runs, true};
  wanted.length = std::min(wanted.length, size - wanted.offset);
  std::unique_lock lock(mutex_);
  const auto until = after(wait_s);
  for (std::uint64_t index = wanted.offset / kBlock; index <= last_block(wanted); ++index) {
    const auto found = blocks_.find(key_of(object, index));
    if (found != blocks_.end() && found->second.state != State::kWanted) continue;
    const std::size_t length = length_of(index, size);
    while (take(object, index, length, spare) == nullptr) {
      if (!runs.empty() || wait_s <= 0 || slots_.wait_until(lock, until) == std::cv_status::timeout)
        return {runs, false};
    }
    if (!runs.empty() && runs.back().offset + runs.back().length == index * kBlock) {
      runs.back().length += length;
    } else {
      runs.push_back({index * kBlock, length});
    }
  }
  return {runs, true};
}

// Under the lock.
void BlockCache::ready(Block& block) {
  block.state = State::kReady;
  --stats_.loading;
  ++stats_.ready;
  const std::uint64_t object = block.key >> 36;
  const std::uint64_t index = index_of(block.key);
  for (Waiter* waiter : waiters_) {
    if (waiter->object == object && waiter->first <= index && index <= waiter->last && --waiter->missing == 0) {
      waiter->changed.notify_one();
    }
  }
  if (block.pins == 0) {
    block.place = idle_.insert(idle_.end(), &block);
    slots_.notify_all();
  }
}

iovec BlockCache::room(std::uint64_t object, std::uint64_t size, std::uint64_t offset, std::size_t most) {
  iovec found{nullptr, 0};
  const std::uint64_t end = offset >= size ? offset : offset + std::min<std::uint64_t>(most, size - offset);
  const std::lock_guard lock(mutex_);
  while (offset < end) {
    const auto place = blocks_.find(key_of(object, offset / kBlock));
    if (place == blocks_.end() || place->second.state != State::kLoading) break;
    const std::size_t at = static_cast<std::size_t>(offset % kBlock);
    std::uint8_t* start = arena_ + std::size_t{place->second.slot} * kBlock + at;
    if (found.iov_len == 0) {
      if (place->second.filled != at) break;
      found.iov_base = start;
    } else if (static_cast<std::uint8_t*>(found.iov_base) + found.iov_len != start) {
      break;
    }
    const std::size_t part = std::min<std::uint64_t>(place->second.length - at, end - offset);
    found.iov_len += part;
    offset += part;
  }
  return found;
}

bool BlockCache::fill(std::uint64_t object, std::uint64_t size, std::uint64_t offset, const std::uint8_t* data,
                      std::size_t length) {
  std::vector<Block*> targets;
  if (length == 0 || offset + length > size) return length == 0;
  {
    const std::lock_guard lock(mutex_);
    for (std::uint64_t index = offset / kBlock; index <= last_block({offset, length}); ++index) {
      const auto found = blocks_.find(key_of(object, index));
      if (found == blocks_.end() || found->second.state != State::kLoading) return false;
      targets.push_back(&found->second);
    }
    if (targets.front()->filled != offset % kBlock) return false;
  }
  std::size_t at = static_cast<std::size_t>(offset % kBlock);  // the fetch owns these slots: no lock while it writes
  for (Block* block : targets) {
    const std::size_t part = std::min(length, block->length - at);
    std::uint8_t* to = arena_ + std::size_t{block->slot} * kBlock + at;
    if (to != data) std::memmove(to, data, part);  // equal: it came into `room`
    block->filled = static_cast<std::uint32_t>(at + part);
    data += part;
    length -= part;
    at = 0;
  }
  const std::lock_guard lock(mutex_);
  for (Block* block : targets) {
    stats_.filled_bytes += block->filled == block->length ? block->length : 0;
    if (block->filled == block->length) ready(*block);
  }
  return true;
}

void BlockCache::fail(std::uint64_t object, Range given_up, int error) {
  if (given_up.length == 0) return;
  const std::lock_guard lock(mutex_);
  for (std::uint64_t index = given_up.offset / kBlock; index <= last_block(given_up); ++index) {
    const auto found = blocks_.find(key_of(object, index));
    if (found == blocks_.end() || found->second.state != State::kLoading) continue;
    Block& block = found->second;
    for (Waiter* waiter : waiters_) {
      if (waiter->object == object && waiter->first <= index && index <= waiter->last) {
        waiter->error = error;
        waiter->changed.notify_one();
      }
    }
    free_.push_back(block.slot);
    --stats_.loading;
    block.state = State::kWanted;
    drop_if_idle(block);
  }
  slots_.notify_all();
}

// A wanted block that nobody wants any more. Under the lock; `block` may be gone afterwards.
void BlockCache::drop_if_idle(Block& block) {
  if (block.state == State::kWanted && block.pins == 0) blocks_.erase(block.key);
}

// Frees the slot of a ready block that is no longer among the idle ones. Under the lock; `block` is gone afterwards.
void BlockCache::evict(Block& block) {
  if (!block.used) stats_.wasted_bytes += block.length;
  if (watched_ && evicted_.size() < kMostEvicted)
    evicted_.push_back({block.key >> 36, index_of(block.key), block.length, block.used});
  --stats_.ready;
  free_.push_back(block.slot);
  blocks_.erase(block.key);
}

void BlockCache::watch() {
  const std::lock_guard lock(mutex_);
  watched_ = true;
}

std::vector<Evicted> BlockCache::evicted() {
  const std::lock_guard lock(mutex_);
  return std::exchange(evicted_, {});
}

void BlockCache::forget(std::uint64_t object) {
  const std::lock_guard lock(mutex_);
  for (auto place = idle_.begin(); place != idle_.end();) {
    Block& block = **place;
    if (block.key >> 36 != object) {
      ++place;
      continue;
    }
    place = idle_.erase(place);
    evict(block);
  }
  slots_.notify_all();
}

bool BlockCache::has(std::uint64_t object, std::uint64_t size, Range wanted) {
  if (wanted.length == 0 || wanted.offset >= size) return true;
  wanted.length = std::min(wanted.length, size - wanted.offset);
  const std::lock_guard lock(mutex_);
  for (std::uint64_t index = wanted.offset / kBlock; index <= last_block(wanted); ++index) {
    const auto found = blocks_.find(key_of(object, index));
    if (found == blocks_.end() || found->second.state != State::kReady) return false;
  }
  return true;
}

// Where the bytes of `wanted` lie; neighbours in the arena become one piece. The blocks are pinned.
void BlockCache::where(const std::vector<Block*>& blocks, Range wanted, std::vector<iovec>& pieces) const {
  std::size_t at = static_cast<std::size_t>(wanted.offset % kBlock);
  std::size_t left = static_cast<std::size_t>(wanted.length);
  for (const Block* block : blocks) {
    const std::size_t part = std::min(left, block->length - at);
    std::uint8_t* start = arena_ + std::size_t{block->slot} * kBlock + at;
    if (!pieces.empty() && static_cast<std::uint8_t*>(pieces.back().iov_base) + pieces.back().iov_len == start) {
      pieces.back().iov_len += part;
    } else {
      pieces.push_back({start, part});
    }
    left -= part;
    at = 0;
  }
}

bool BlockCache::try_pin(std::uint64_t object, std::uint64_t size, Range wanted, std::vector<iovec>& pieces,
                         std::vector<Block*>& pinned) {
  wanted.length = std::min(wanted.length, size - wanted.offset);
  {
    const std::lock_guard lock(mutex_);
    for (std::uint64_t index = wanted.offset / kBlock; index <= last_block(wanted); ++index) {
      const auto found = blocks_.find(key_of(object, index));
      if (found == blocks_.end() || found->second.state != State::kReady) {
        pinned.clear();
        return false;
      }
      pinned.push_back(&found->second);
    }
    for (Block* block : pinned) {
      if (block->pins++ == 0) idle_.erase(block->place);
    }
    ++stats_.hits;
    stats_.read_bytes += wanted.length;
  }
  where(pinned, wanted, pieces);
  return true;
}

// Under the lock.
void BlockCache::release(Block& block) {
  if (--block.pins > 0) return;
  if (block.state == State::kReady) {
    block.place = idle_.insert(idle_.end(), &block);
  } else {
    drop_if_idle(block);
  }
}

void BlockCache::unpin(std::vector<Block*>& pinned) {
  const std::lock_guard lock(mutex_);
  for (Block* block : pinned) {
    block->used = true;
    release(*block);
  }
  pinned.clear();
  slots_.notify_all();
}

void BlockCache::enter(Waiter& waiter, std::uint64_t object, std::uint64_t size, Range wanted) {
  wanted.length = std::min(wanted.length, size - wanted.offset);
  std::unique_lock lock(mutex_);
  const std::size_t blocks = static_cast<std::size_t>(last_block(wanted) - wanted.offset / kBlock + 1);
  waiting_.wait(lock, [&] { return waiters_.empty() || held_ + blocks <= count_ / 2; });
  held_ += blocks;
  waiter.object = object;
  waiter.first = wanted.offset / kBlock;
  waiter.last = last_block(wanted);
  waiter.missing = 0;
  waiter.error = 0;
  for (std::uint64_t index = waiter.first; index <= waiter.last; ++index) {
    const std::uint64_t key = key_of(object, index);
    Block& block = blocks_[key];
    block.key = key;
    block.length = static_cast<std::uint32_t>(length_of(index, size));
    if (block.pins++ == 0 && block.state == State::kReady) idle_.erase(block.place);
    if (block.state != State::kReady) ++waiter.missing;
    waiter.pinned.push_back(&block);
  }
  ++stats_.misses;
  stats_.read_bytes += wanted.length;
  waiters_.push_back(&waiter);
}

int BlockCache::wait(Waiter& waiter, double seconds) {
  std::unique_lock lock(mutex_);
  const bool done =
      waiter.changed.wait_until(lock, after(seconds), [&] { return waiter.missing == 0 || waiter.error; });
  if (!done) return ETIMEDOUT;
  if (waiter.missing == 0) return 0;
  const int error = waiter.error;
  if (error == EAGAIN) waiter.error = 0;
  return error;
}

void BlockCache::pieces(const Waiter& waiter, Range wanted, std::vector<iovec>& pieces) {
  where(waiter.pinned, wanted, pieces);
}

void BlockCache::leave(Waiter& waiter) {
  const std::lock_guard lock(mutex_);
  waiters_.remove(&waiter);
  held_ -= waiter.pinned.size();
  for (Block* block : waiter.pinned) {
    block->used = block->used || waiter.missing == 0;
    release(*block);
  }
  waiter.pinned.clear();
  waiting_.notify_all();
  slots_.notify_all();
}

void BlockCache::interrupt(Waiter& waiter) {
  const std::lock_guard lock(mutex_);
  waiter.error = EINTR;
  waiter.changed.notify_one();
}

CacheStats BlockCache::stats() {
  const std::lock_guard lock(mutex_);
  return stats_;
}

}  // namespace cinemill::mount
