// The extension module `cinemill_native._mount`: the block cache and the loop on /dev/fuse, for mezzfs alone. Types for
// checkers are in _mount.pyi. Bindings check arguments and let go of the GIL; nothing else belongs here.
#include <nanobind/nanobind.h>
#include <nanobind/stl/vector.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <utility>

#include "bindings/unlocked.h"
#include "mount/cache.h"
#include "mount/fuse.h"

namespace nb = nanobind;
using nb::literals::operator""_a;

namespace cinemill::mount {
namespace {

using bindings::Unlocked;

// A read-only or writable view of any Python buffer, contiguous, held while in scope.
class Bytes {
 public:
  Bytes(nb::handle object, int flags) {
    if (PyObject_GetBuffer(object.ptr(), &view_, flags) != 0) throw nb::python_error();
  }
  ~Bytes() { PyBuffer_Release(&view_); }
  Bytes(const Bytes&) = delete;
  Bytes& operator=(const Bytes&) = delete;
  std::uint8_t* data() const { return static_cast<std::uint8_t*>(view_.buf); }
  std::size_t size() const { return static_cast<std::size_t>(view_.len); }

 private:
  Py_buffer view_{};
};

void copy_out(const std::vector<iovec>& pieces, std::uint8_t* to) {
  for (const iovec& piece : pieces) {
    std::memcpy(to, piece.iov_base, piece.iov_len);
    to += piece.iov_len;
  }
}

// One waiting read of the in-process face.
struct Ticket {
  Ticket(BlockCache& cache_, std::uint64_t object, std::uint64_t size, Range wanted_) : cache(cache_), wanted(wanted_) {
    cache.enter(waiter, object, size, wanted);
  }
  ~Ticket() {
    if (!left) cache.leave(waiter);
  }
  BlockCache& cache;
  Waiter waiter;
  Range wanted;
  bool left = false;
};

nb::tuple claim(BlockCache& cache, std::uint64_t object, std::uint64_t size, std::uint64_t offset, std::uint64_t length,
                bool spare, double wait_s) {
  std::pair<std::vector<Range>, bool> claimed;
  {
    const Unlocked unlocked;
    claimed = cache.claim(object, size, {offset, length}, spare, wait_s);
  }
  nb::list runs;
  for (const Range& run : claimed.first) runs.append(nb::make_tuple(run.offset, run.length));
  return nb::make_tuple(runs, claimed.second);
}

// A writable view of the arena, good until those blocks are filled or failed, or None where it is shorter than `least`.
nb::object room(BlockCache& cache, std::uint64_t object, std::uint64_t size, std::uint64_t offset, std::size_t most,
                std::size_t least) {
  const iovec found = cache.room(object, size, offset, most);
  if (found.iov_len == 0 || found.iov_len < least) return nb::none();
  auto* view =
      PyMemoryView_FromMemory(static_cast<char*>(found.iov_base), static_cast<Py_ssize_t>(found.iov_len), PyBUF_WRITE);
  return nb::steal(view);
}

bool fill(BlockCache& cache, std::uint64_t object, std::uint64_t size, std::uint64_t offset, nb::handle data,
          bool sealed) {
  const Bytes bytes(data, PyBUF_SIMPLE);
  const Unlocked unlocked;
  return cache.fill(object, size, offset, bytes.data(), bytes.size(), sealed);
}

// Bytes read, or -1 where a block is missing. At most kMostRead.
std::int64_t read(BlockCache& cache, std::uint64_t object, std::uint64_t size, std::uint64_t offset, nb::handle into) {
  const Bytes bytes(into, PyBUF_WRITABLE);
  if (offset >= size || bytes.size() == 0) return 0;
  const Range wanted{offset, std::min<std::uint64_t>({bytes.size(), size - offset, kMostRead})};
  const Unlocked unlocked;
  std::vector<iovec> pieces;
  std::vector<Block*> pinned;
  if (!cache.try_pin(object, size, wanted, pieces, pinned)) return -1;
  copy_out(pieces, bytes.data());
  cache.unpin(pinned);
  return static_cast<std::int64_t>(wanted.length);
}

// The bytes themselves, or None where a block is missing. At most kMostRead.
nb::object get(BlockCache& cache, std::uint64_t object, std::uint64_t size, std::uint64_t offset,
               std::uint64_t length) {
  if (offset >= size || length == 0) return nb::bytes("", 0);
  const Range wanted{offset, std::min<std::uint64_t>({length, size - offset, kMostRead})};
  std::vector<iovec> pieces;
  std::vector<Block*> pinned;
  {
    const Unlocked unlocked;
    if (!cache.try_pin(object, size, wanted, pieces, pinned)) pieces.clear();
  }
  if (pinned.empty()) return nb::none();
  nb::object made = nb::steal(PyBytes_FromStringAndSize(nullptr, static_cast<Py_ssize_t>(wanted.length)));
  {
    const Unlocked unlocked;
    if (made.is_valid()) copy_out(pieces, reinterpret_cast<std::uint8_t*>(PyBytes_AS_STRING(made.ptr())));
    cache.unpin(pinned);
  }
  if (!made.is_valid()) throw nb::python_error();
  return made;
}

Ticket* enter(BlockCache& cache, std::uint64_t object, std::uint64_t size, std::uint64_t offset, std::uint64_t length) {
  if (offset >= size || length == 0 || length > kMostRead)
    throw nb::value_error("a read of 1 byte to 1 MiB inside the object");
  const Unlocked unlocked;
  return new Ticket(cache, object, size, Range{offset, std::min(length, size - offset)});  // Python owns it
}

int wait(Ticket& ticket, double seconds) {
  const Unlocked unlocked;
  return ticket.cache.wait(ticket.waiter, seconds);
}

// The bytes of a ticket whose wait returned 0, or -1 where they were damaged in memory; the ticket is spent.
std::int64_t collect(Ticket& ticket, nb::handle into) {
  const Bytes bytes(into, PyBUF_WRITABLE);
  if (bytes.size() < ticket.wanted.length || ticket.left)
    throw nb::value_error("a spent ticket, or a buffer too short");
  const Unlocked unlocked;
  std::vector<iovec> pieces;
  const bool whole = ticket.cache.pieces(ticket.waiter, ticket.wanted, pieces);
  copy_out(pieces, bytes.data());
  ticket.cache.leave(ticket.waiter);
  ticket.left = true;
  if (!whole) return -1;
  return static_cast<std::int64_t>(ticket.wanted.length);
}

nb::dict cache_stats(BlockCache& cache) {
  const CacheStats stats = cache.stats();
  nb::dict found;
  found["block_bytes"] = kBlock;
  found["blocks"] = stats.blocks;
  found["ready"] = stats.ready;
  found["loading"] = stats.loading;
  found["hits"] = stats.hits;
  found["misses"] = stats.misses;
  found["filled_bytes"] = stats.filled_bytes;
  found["read_bytes"] = stats.read_bytes;
  found["wasted_bytes"] = stats.wasted_bytes;
  return found;
}

// (file, offset, length, used) of what was evicted; neighbours that went one after the other are joined.
nb::list evicted(BlockCache& cache) {
  std::vector<Evicted> gone;
  {
    const Unlocked unlocked;
    gone = cache.evicted();
  }
  nb::list found;
  for (std::size_t at = 0; at < gone.size();) {
    const Evicted& first = gone[at];
    std::uint64_t length = 0;
    for (; at < gone.size() && gone[at].object == first.object && gone[at].used == first.used &&
           gone[at].index * kBlock == first.index * kBlock + length;
         ++at)
      length += gone[at].length;
    found.append(nb::make_tuple(first.object, first.index * kBlock, length, first.used));
  }
  return found;
}

nb::list next_events(FuseServer& server, double seconds) {
  std::vector<Event> events;
  {
    const Unlocked unlocked;
    events = server.next_events(seconds);
  }
  nb::list found;
  for (const Event& event : events) {
    if (event.kind == Event::Kind::kRead) {
      const double thought_s = static_cast<double>(event.thought_us) / 1e6;
      found.append(nb::make_tuple(0, event.handle, event.offset, event.length, event.missed, thought_s));
    } else {
      found.append(nb::make_tuple(static_cast<std::uint32_t>(event.kind), event.opcode, event.unique, event.node,
                                  nb::bytes(event.payload.data(), event.payload.size()), event.uid, event.gid));
    }
  }
  return found;
}

bool reply(FuseServer& server, std::uint64_t unique, int error, nb::handle data) {
  const Bytes bytes(data, PyBUF_SIMPLE);
  const Unlocked unlocked;
  return server.reply(unique, error, bytes.data(), bytes.size());
}

nb::dict server_stats(FuseServer& server) {
  const FuseStats stats = server.stats();
  nb::dict found;
  found["requests"] = stats.requests;
  found["reads"] = stats.reads;
  found["interrupts"] = stats.interrupts;
  found["threads"] = stats.threads;
  found["latency_log2_us"] = stats.latency;
  return found;
}

}  // namespace

NB_MODULE(_mount, module) {
  nb::set_leak_warnings(false);  // the engine of a process lives until its end, with daemon threads that hold it
  using WithoutGil = nb::call_guard<Unlocked>;
  module.attr("BLOCK") = kBlock;
  module.attr("MOST_READ") = kMostRead;
  nb::class_<BlockCache>(module, "BlockCache")
      .def(nb::init<std::size_t>(), "budget"_a)
      .def("touch", &BlockCache::touch, WithoutGil())
      .def("claim", &claim, "file"_a, "size"_a, "offset"_a, "length"_a, "spare"_a, "wait_s"_a)
      .def("room", &room, "file"_a, "size"_a, "offset"_a, "most"_a, "least"_a)
      .def("fill", &fill, "file"_a, "size"_a, "offset"_a, "data"_a, "sealed"_a = false)
      .def(
          "fail",
          [](BlockCache& cache, std::uint64_t object, std::uint64_t offset, std::uint64_t length, int error) {
            cache.fail(object, {offset, length}, error);
          },
          "file"_a, "offset"_a, "length"_a, "error"_a, WithoutGil())
      .def("forget", &BlockCache::forget, "file"_a, WithoutGil())
      .def(
          "has",
          [](BlockCache& cache, std::uint64_t object, std::uint64_t size, std::uint64_t offset, std::uint64_t length) {
            return cache.has(object, size, {offset, length});
          },
          "file"_a, "size"_a, "offset"_a, "length"_a)
      .def("read", &read, "file"_a, "size"_a, "offset"_a, "into"_a)
      .def("get", &get, "file"_a, "size"_a, "offset"_a, "length"_a)
      .def("enter", &enter, "file"_a, "size"_a, "offset"_a, "length"_a, nb::rv_policy::take_ownership,
           nb::keep_alive<0, 1>())
      .def("stats", &cache_stats)
      .def("watch", &BlockCache::watch, WithoutGil())
      .def("evicted", &evicted);
  nb::class_<Ticket>(module, "Ticket").def("wait", &wait, "seconds"_a).def("collect", &collect, "into"_a);
  nb::class_<FuseServer>(module, "FuseServer")
      .def(nb::init<int, BlockCache&, double>(), "device"_a, "cache"_a, "timeout_s"_a, nb::keep_alive<1, 3>())
      .def("start", &FuseServer::start, WithoutGil())
      .def("stop", &FuseServer::stop, WithoutGil())
      .def("open", &FuseServer::open, "handle"_a, "file"_a, "size"_a)
      .def("break_handle", &FuseServer::break_handle, "handle"_a, "error"_a)
      .def("close", &FuseServer::close, "handle"_a)
      .def("reply", &reply, "unique"_a, "error"_a, "data"_a)
      .def("next_events", &next_events, "seconds"_a)
      .def("stats", &server_stats);
}

}  // namespace cinemill::mount
