// What a plan's providers mean for others: what a call costs, what is wired; their words.

#include "link/plan.h"

namespace tenon {
namespace link {

LinkCost costOf(const Provider& provider) {
  struct Cost {
    LinkCost operator()(const Part&) const { return LinkCost::FUSED; }
    LinkCost operator()(const IsolatedPart&) const { return LinkCost::ISOLATED; }
    LinkCost operator()(const Wasi&) const { return LinkCost::HOST; }
    LinkCost operator()(const Plugin&) const { return LinkCost::HOST; }
    LinkCost operator()(const OnlyTypes&) const { return LinkCost::NONE; }
    LinkCost operator()(const Missing&) const { return LinkCost::MISSING; }
  };
  return std::visit(Cost{}, provider);
}

std::vector<component::WorkloadPart::Wire> wiresOf(const PlannedPart& part) {
  std::vector<component::WorkloadPart::Wire> wires;
  for (const Link& link : part.links) {
    auto* provider = std::get_if<Part>(&link.provider);
    if (!provider) continue;
    wires.push_back({link.import, static_cast<uint32_t>(provider->index), provider->item});
  }
  return wires;
}

}  // namespace link

const char* toString(InstancePolicy::Life life) {
  switch (life) {
    case InstancePolicy::Life::FRESH:
      return "fresh";
    case InstancePolicy::Life::REUSED:
      return "reused";
    case InstancePolicy::Life::POOLED:
      return "pooled";
  }
  return "";
}

const char* toString(LinkCost cost) {
  switch (cost) {
    case LinkCost::FUSED:
      return "fused";
    case LinkCost::ISOLATED:
      return "isolated";
    case LinkCost::HOST:
      return "host";
    case LinkCost::NONE:
      return "types";
    case LinkCost::MISSING:
      return "missing";
  }
  return "";
}

}  // namespace tenon
