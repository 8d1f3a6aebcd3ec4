"""Flight below pyarrow: gRPC with messages encoded by hand, for what pyarrow cannot say.

A message is read as {field number: [values]}: bytes of length-delimited fields, integers of
varints, floats of doubles.
"""

import struct

import grpc

SERVICE = "/arrow.flight.protocol.FlightService/"
PATH, CMD = 1, 2
CANCEL_CANCELLED, CANCEL_CANCELLING, CANCEL_NOT_CANCELLABLE = 1, 2, 3


def varint(number):
    out = bytearray()
    while True:
        number, low = number >> 7, number & 0x7F
        out.append(low | (0x80 if number else 0))
        if not number:
            return bytes(out)


def field(number, value):
    """One field: bytes and text with their length before them, integers as varints."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    value = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(value)) + value


def message(data):
    fields, at = {}, 0

    def take():
        nonlocal at
        number, shift = 0, 0
        while True:
            byte = data[at]
            at += 1
            number |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return number

    while at < len(data):
        key = take()
        number, wire = key >> 3, key & 7
        if wire == 0:
            value = take()
        elif wire == 1:
            value, at = struct.unpack("<d", data[at:at + 8])[0], at + 8
        elif wire == 2:
            size = take()
            value, at = data[at:at + size], at + size
        else:
            raise AssertionError(f"wire type {wire}")
        fields.setdefault(number, []).append(value)
    return fields


def command_descriptor(command):
    return field(1, CMD) + field(2, command)


def cancel_request(flight_info):
    """Body of CancelFlightInfo: what pyarrow's FlightInfo serialises to is the message itself."""
    return field(1, flight_info.serialize())


def cancel_info(client, flight_info):
    """CancelFlightInfo through pyarrow, which has no call for it; returns Flight's status."""
    (result,) = client.do_action(("CancelFlightInfo", cancel_request(flight_info)))
    return message(result.body.to_pybytes())[1][0]


def renew_request(endpoint):
    return field(1, endpoint.serialize())


class Flight:
    """Bare calls of one Flight server; messages go and come as bytes."""

    def __init__(self, node):
        self.channel = grpc.insecure_channel(
            node.flight.removeprefix("grpc://"),
            options=[("grpc.max_receive_message_length", -1),
                     ("grpc.max_send_message_length", -1)])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.channel.close()

    def unary(self, method, request, timeout=20, headers=()):
        return self.channel.unary_unary(SERVICE + method)(request, timeout=timeout,
                                                          metadata=headers)

    def stream(self, method, request, timeout=20, headers=()):
        return self.channel.unary_stream(SERVICE + method)(request, timeout=timeout,
                                                           metadata=headers)

    def upload(self, requests, timeout=20, headers=(), method="DoPut"):
        return self.channel.stream_stream(SERVICE + method)(requests, timeout=timeout,
                                                            metadata=headers)

    def poll(self, command, timeout=20, headers=()):
        return message(self.unary("PollFlightInfo", command_descriptor(command), timeout, headers))
