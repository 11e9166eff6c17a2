import { CompositePayloadConverter, UndefinedPayloadConverter } from '@temporalio/common';

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** As users write it for types of their own: an encoding of its own, and no other that it could read. */
class OwnPayloadConverter {
  encodingType = 'json/own';
  toPayload(value) {
    return {
      metadata: { encoding: encoder.encode(this.encodingType) },
      data: encoder.encode(JSON.stringify({ own: value })),
    };
  }
  fromPayload(payload) {
    return JSON.parse(decoder.decode(payload.data)).own;
  }
}

export const payloadConverter = new CompositePayloadConverter(
  new UndefinedPayloadConverter(),
  new OwnPayloadConverter(),
);
