// What a server sends, made by hand: frames that no library writes, in random order.

/** The same numbers every time (a linear congruential generator): below `limit`. */
export function numbers(seed: number): (limit: number) => number {
  let state = BigInt(seed);
  return (limit) => {
    state = (state * 6364136223846793005n + 1442695040888963407n) % 2n ** 64n;
    return Number((state >> 33n) % BigInt(limit));
  };
}

/** A frame as a server writes it, in the shortest way unless `size` says how many bytes its length has. */
export function frame(first: number, payload: Uint8Array, size?: 1 | 3 | 9): Uint8Array {
  const { length } = payload;
  const header = Buffer.alloc(1 + (size ?? (length < 126 ? 1 : length < 65_536 ? 3 : 9)));
  header[0] = first;
  if (header.length === 2) {
    header[1] = length;
  } else if (header.length === 4) {
    header[1] = 126;
    header.writeUInt16BE(length, 2);
  } else {
    header[1] = 127;
    header.writeBigUInt64BE(BigInt(length), 2);
  }
  return Buffer.concat([header, payload]);
}
