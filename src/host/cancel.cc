#include "host/cancel.h"

#include <algorithm>
#include <utility>

namespace tenon {

Canceller::Canceller() : state_(std::make_shared<host::CancelState>()) {}

void Canceller::cancel() const {
  std::lock_guard lock(state_->mutex);
  if (state_->cancelled.exchange(true)) return;
  for (host::CancelWatch* watch : state_->watches) watch->fulfiller_->fulfill();
}

bool Canceller::cancelled() const { return state_->cancelled.load(); }

namespace host {

CancelWatch::CancelWatch(std::shared_ptr<CancelState> state) : state_(std::move(state)) {
  auto paf = kj::newPromiseAndCrossThreadFulfiller<void>();
  fulfiller_ = kj::mv(paf.fulfiller);
  cancelled_ = paf.promise.fork();
  std::lock_guard lock(state_->mutex);
  state_->watches.push_back(this);
  if (state_->cancelled) fulfiller_->fulfill();
}

CancelWatch::~CancelWatch() {
  std::lock_guard lock(state_->mutex);
  std::erase(state_->watches, this);
}

}  // namespace host
}  // namespace tenon
