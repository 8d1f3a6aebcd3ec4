// The handler that the Flight server asks: one method a call, each a short translation.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "sheaf/host/endpoint/core.h"
#include "sheaf/host/endpoint/infos.h"

namespace sheaf::endpoint {

// Owner: the endpoint. Threads, blocking: as flight::Handler.
class Handler final : public flight::Handler {
 public:
  explicit Handler(Core& core) : core_(core) {}

  void GetFlightInfo(flight::CallPtr call, flight::Descriptor descriptor,
                     flight::Reply<flight::Info> reply) override;
  void PollFlightInfo(flight::CallPtr call, flight::Descriptor descriptor,
                      flight::Reply<flight::Poll> reply) override;
  void GetSchema(flight::CallPtr call, flight::Descriptor descriptor,
                 flight::Reply<std::shared_ptr<arrow::Schema>> reply) override;
  void DoGet(flight::CallPtr call, std::string ticket,
             flight::Reply<std::unique_ptr<flight::GetStream>> reply) override;
  void DoPut(flight::CallPtr call, flight::Descriptor descriptor,
             std::shared_ptr<arrow::Schema> schema,
             flight::Reply<std::unique_ptr<flight::PutStream>> reply) override;
  void DoExchange(flight::CallPtr call, flight::Descriptor descriptor,
                  flight::Reply<std::monostate> reply) override;
  void DoAction(flight::CallPtr call, flight::Action action,
                flight::Reply<std::unique_ptr<flight::ItemStream<std::string>>> reply) override;
  void ListFlights(flight::CallPtr call, std::string criteria,
                   flight::Reply<std::unique_ptr<flight::ItemStream<flight::Info>>> reply) override;
  std::vector<flight::ActionType> ListActions() override;
  Result<std::string> Handshake(flight::CallPtr call, std::string payload) override;

 private:
  using StreamReply = flight::Reply<std::unique_ptr<flight::GetStream>>;
  // The info of a request that a hit or the catalog answers at once; none: it must be waited for.
  std::optional<Result<flight::Info>> AtOnce(const RequestPtr& request,
                                             const command::Request& what,
                                             const flight::Descriptor& descriptor);
  void GetTicketed(const RequestPtr& request, const std::string& ticket, const StreamReply& reply);
  void GetByJson(const RequestPtr& request, const std::string& ticket, const StreamReply& reply);
  Result<std::vector<std::string>> Act(const flights::Context& context,
                                       const flight::Action& action);
  Result<std::vector<std::string>> CancelInfo(const flights::Context& context,
                                              const std::string& body);
  Result<std::vector<std::string>> RenewEndpoint(const flights::Context& context,
                                                 const std::string& body);

  Core& core_;  // Borrowed from the endpoint.
};

}  // namespace sheaf::endpoint
