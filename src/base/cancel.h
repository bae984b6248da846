// A request to stop, carried by value from Ctrl-C or a deadline down to the loop that must end.
// Thread-safe, cheap to poll.
//
//     CancelSource source;  auto token = source.token();
//     ... in a loop: if (token.cancelled()) return Error::cancelled();
#pragma once

#include <atomic>
#include <memory>

namespace slipway {

class CancelToken {
 public:
  CancelToken() = default;  // never cancelled
  bool cancelled() const {
    return (flag_ && flag_->load(std::memory_order_relaxed)) || (also_ && also_->cancelled());
  }
  // Cancelled when this one is, or `other`.
  CancelToken or_when(const CancelToken& other) const {
    CancelToken both = *this;
    both.also_ = std::make_shared<const CancelToken>(also_ ? also_->or_when(other) : other);
    return both;
  }

 private:
  friend class CancelSource;
  explicit CancelToken(std::shared_ptr<std::atomic<bool>> flag) : flag_(std::move(flag)) {}
  std::shared_ptr<std::atomic<bool>> flag_;
  std::shared_ptr<const CancelToken> also_;
};

class CancelSource {
 public:
  CancelSource() : flag_(std::make_shared<std::atomic<bool>>(false)) {}
  CancelToken token() const { return CancelToken(flag_); }
  void cancel() { flag_->store(true, std::memory_order_relaxed); }  // async-signal-safe

 private:
  std::shared_ptr<std::atomic<bool>> flag_;
};

}  // namespace slipway
