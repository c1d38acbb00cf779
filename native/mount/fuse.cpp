#include "mount/fuse.h"

#include <fcntl.h>
#include <linux/fuse.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <memory>
#include <system_error>

namespace cinemill::mount {
namespace {

constexpr std::size_t kMostWrite = std::size_t{1} << 20;
constexpr std::size_t kRequestBytes = kMostWrite + 8192;  // the kernel wants room for the headers
constexpr std::uint64_t kDrainBytes = std::uint64_t{2} << 20;
constexpr std::uint32_t kWantedFlags = FUSE_ASYNC_READ | FUSE_BIG_WRITES | FUSE_ASYNC_DIO | FUSE_PARALLEL_DIROPS |
                                       FUSE_DO_READDIRPLUS | FUSE_READDIRPLUS_AUTO | FUSE_MAX_PAGES |
                                       FUSE_ATOMIC_O_TRUNC;

template <class T>
T take(const std::uint8_t* from) {
  T value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

std::int64_t now_us() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::microseconds>(now).count();
}

}  // namespace

FuseServer::FuseServer(int device, BlockCache& cache, double timeout_s)
    : device_(fcntl(device, F_DUPFD_CLOEXEC, 3)), cache_(cache), timeout_s_(timeout_s) {
  if (device_ < 0) throw std::system_error(errno, std::generic_category(), "/dev/fuse");
}

FuseServer::~FuseServer() {
  stop();
  ::close(device_);
}

void FuseServer::start() {
  spawn();
  spawn();
}

void FuseServer::spawn() {
  const std::lock_guard lock(threads_mutex_);
  if (ended_ || threads_.size() >= kMostThreads) return;
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);  // signals belong to the main thread
  ++idle_;
  threads_.emplace_back([this] { loop(); });
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

void FuseServer::stop() {
  std::vector<std::thread> threads;
  {
    const std::lock_guard lock(threads_mutex_);
    ended_ = true;
    threads.swap(threads_);
  }
  for (std::thread& thread : threads) thread.join();
}

void FuseServer::loop() {
  const std::unique_ptr<std::uint8_t[]> buffer(new std::uint8_t[kRequestBytes]);
  while (true) {
    const ssize_t got = ::read(device_, buffer.get(), kRequestBytes);
    if (got < 0 && (errno == EINTR || errno == EAGAIN || errno == ENOENT)) continue;  // ENOENT: request was withdrawn
    if (got < 0) break;                                                               // ENODEV: unmounted
    if (static_cast<std::size_t>(got) < sizeof(fuse_in_header)) continue;
    --idle_;
    handle(buffer.get(), static_cast<std::size_t>(got));
    ++idle_;
  }
  ended_ = true;
  Event end;
  end.kind = Event::Kind::kEnd;
  push(std::move(end));
}

void FuseServer::handle(const std::uint8_t* request, std::size_t length) {
  const auto header = take<fuse_in_header>(request);
  ++requests_;
  switch (header.opcode) {
    case FUSE_INIT:
      return init(request);
    case FUSE_READ:
      return read(request);
    case FUSE_INTERRUPT:
      return interrupt(take<fuse_interrupt_in>(request + sizeof header).unique);
    default:
      break;
  }
  Event event;
  event.kind = Event::Kind::kRequest;
  event.opcode = header.opcode;
  event.unique = header.unique;
  event.node = header.nodeid;
  event.uid = header.uid;
  event.gid = header.gid;
  event.payload.assign(reinterpret_cast<const char*>(request) + sizeof header, length - sizeof header);
  push(std::move(event));
}

void FuseServer::init(const std::uint8_t* request) {
  const auto in = take<fuse_init_in>(request + sizeof(fuse_in_header));
  fuse_init_out out{};
  out.major = FUSE_KERNEL_VERSION;
  out.minor = std::min<std::uint32_t>(in.minor, 31);
  out.max_readahead = in.max_readahead;
  out.flags = in.flags & kWantedFlags;
  out.max_background = 64;
  out.congestion_threshold = 48;
  out.max_write = kMostWrite;
  out.time_gran = 1;
  out.max_pages = static_cast<std::uint16_t>(kMostRead / 4096);
  const int error = in.major == FUSE_KERNEL_VERSION && in.minor >= 31 ? 0 : EPROTO;
  reply(take<fuse_in_header>(request).unique, error, &out, sizeof out);
}

void FuseServer::read(const std::uint8_t* request) {
  const std::int64_t started = now_us();
  const auto header = take<fuse_in_header>(request);
  const auto in = take<fuse_read_in>(request + sizeof header);
  ++reads_;
  Event event;
  event.handle = in.fh;
  event.offset = in.offset;
  const Open file = began(in.fh, event.thought_us);
  std::int64_t left_us = started;
  if (file.error != 0 || in.size == 0 || in.offset >= file.size) {
    reply(header.unique, file.error, nullptr, 0);
  } else {
    event.length = std::min<std::uint64_t>(in.size, file.size - in.offset);
    const int error = answer(header.unique, file, std::move(event), left_us);
    if (error != 0) reply(header.unique, error, nullptr, 0);
  }
  ended(in.fh, left_us);
  const auto us = static_cast<std::uint64_t>(now_us() - started);
  ++latency_[std::min<std::size_t>(kBuckets - 1, static_cast<std::size_t>(std::bit_width(us)))];
}

// The file behind a handle, and how long its reader asked for nothing: what it needs for itself between two reads.
FuseServer::Open FuseServer::began(std::uint64_t handle, std::uint64_t& thought_us) {
  const std::lock_guard lock(files_mutex_);
  const auto found = files_.find(handle);
  if (found == files_.end()) return {0, 0, EBADF, 0, 0};
  Open& file = found->second;
  if (file.reading++ == 0 && file.left_us > 0) thought_us = static_cast<std::uint64_t>(now_us() - file.left_us);
  return file;
}

// The reader goes on once it has its answer, which may be long before this thread does: `left_us` is from before that.
void FuseServer::ended(std::uint64_t handle, std::int64_t left_us) {
  const std::lock_guard lock(files_mutex_);
  const auto found = files_.find(handle);
  if (found == files_.end()) return;
  if (--found->second.reading == 0) found->second.left_us = left_us;
}

int FuseServer::answer(std::uint64_t unique, const Open& file, Event&& event, std::int64_t& left_us) {
  std::vector<iovec> pieces(1);
  std::vector<Block*> pinned;
  if (!cache_.try_pin(file.object, file.size, {event.offset, event.length}, pieces, pinned))
    return answer_slowly(unique, file, std::move(event), left_us);
  push(std::move(event));  // before the answer: afterwards the reader may close the file
  left_us = now_us();
  send(unique, 0, pieces);
  cache_.unpin(pinned);
  return 0;
}

int FuseServer::answer_slowly(std::uint64_t unique, const Open& file, Event&& event, std::int64_t& left_us) {
  if (idle_ == 0) spawn();  // this thread is about to wait
  const Range wanted{event.offset, event.length};
  Waiter waiter;
  cache_.enter(waiter, file.object, file.size, wanted);
  {
    const std::lock_guard lock(flight_mutex_);
    flight_[unique] = &waiter;
  }
  event.missed = true;
  int error = EAGAIN;
  while (error == EAGAIN) {
    push(Event(event));
    event.thought_us = 0;  // told
    error = cache_.wait(waiter, timeout_s_);
  }
  {
    const std::lock_guard lock(flight_mutex_);
    flight_.erase(unique);
  }
  if (error == 0) {
    std::vector<iovec> pieces(1);
    if (cache_.pieces(waiter, wanted, pieces)) {
      left_us = now_us();
      send(unique, 0, pieces);
    } else {
      error = EIO;
    }
  }
  cache_.leave(waiter);
  return error;
}

void FuseServer::interrupt(std::uint64_t unique) {
  ++interrupts_;
  const std::lock_guard lock(flight_mutex_);
  const auto found = flight_.find(unique);
  if (found != flight_.end()) cache_.interrupt(*found->second);
}

void FuseServer::push(Event&& event) {
  const std::lock_guard lock(events_mutex_);
  if (event.kind == Event::Kind::kRead && !event.missed) {
    quiet_bytes_ += event.length;
    if (!events_.empty()) {
      Event& last = events_.back();
      if (last.kind == event.kind && !last.missed && last.handle == event.handle &&
          last.offset + last.length == event.offset) {
        last.length += event.length;
        last.thought_us += event.thought_us;
        if (quiet_bytes_ >= kDrainBytes) events_changed_.notify_one();
        return;
      }
    }
    if (events_.size() >= kMostEvents) return;
  } else {
    urgent_ = true;
  }
  events_.push_back(std::move(event));
  if (urgent_ || quiet_bytes_ >= kDrainBytes) events_changed_.notify_one();
}

std::vector<Event> FuseServer::next_events(double seconds) {
  std::unique_lock lock(events_mutex_);
  const auto wait = std::chrono::duration<double>(seconds);
  events_changed_.wait_for(lock, wait, [this] { return urgent_ || quiet_bytes_ >= kDrainBytes; });
  std::vector<Event> taken(std::make_move_iterator(events_.begin()), std::make_move_iterator(events_.end()));
  events_.clear();
  quiet_bytes_ = 0;
  urgent_ = false;
  return taken;
}

void FuseServer::open(std::uint64_t handle, std::uint64_t object, std::uint64_t size) {
  const std::lock_guard lock(files_mutex_);
  files_[handle] = {object, size, 0, 0, 0};
}

void FuseServer::break_handle(std::uint64_t handle, int error) {
  const std::lock_guard lock(files_mutex_);
  const auto found = files_.find(handle);
  if (found != files_.end()) found->second.error = error;
}

void FuseServer::close(std::uint64_t handle) {
  const std::lock_guard lock(files_mutex_);
  files_.erase(handle);
}

bool FuseServer::reply(std::uint64_t unique, int error, const void* data, std::size_t length) {
  std::vector<iovec> pieces(1);
  if (error == 0 && length > 0) pieces.push_back({const_cast<void*>(data), length});
  return send(unique, error, pieces);
}

// The first of `pieces` is room for the header. False: the kernel no longer waits for this reply.
bool FuseServer::send(std::uint64_t unique, int error, std::vector<iovec>& pieces) {
  fuse_out_header header{};
  header.unique = unique;
  header.error = -error;
  pieces[0] = {&header, sizeof header};
  std::size_t total = 0;
  for (const iovec& piece : pieces) total += piece.iov_len;
  header.len = static_cast<std::uint32_t>(total);
  return writev(device_, pieces.data(), static_cast<int>(pieces.size())) == static_cast<ssize_t>(total);
}

FuseStats FuseServer::stats() {
  FuseStats stats;
  stats.requests = requests_;
  stats.reads = reads_;
  stats.interrupts = interrupts_;
  {
    const std::lock_guard lock(threads_mutex_);
    stats.threads = threads_.size();
  }
  for (const auto& count : latency_) stats.latency.push_back(count);
  return stats;
}

}  // namespace cinemill::mount
