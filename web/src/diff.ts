// Two texts as a list of kept, removed and added lines; the changed words of lines that belong together.
//
// Longest common subsequence over what differs between the common beginning and end. Above `most` cells the middle is
// shown as removed and added as a whole: right, only less fine.

export type Kind = "same" | "removed" | "added";
export interface Piece { kind: Kind; text: string }

const most = 4_000_000;

export function sequence(before: string[], after: string[]): Piece[] {
  let start = 0;
  while (start < before.length && start < after.length && before[start] === after[start]) start += 1;
  let end = 0;
  while (end < before.length - start && end < after.length - start &&
         before[before.length - 1 - end] === after[after.length - 1 - end]) end += 1;
  const pieces: Piece[] = before.slice(0, start).map((text) => ({ kind: "same", text }));
  pieces.push(...middle(before.slice(start, before.length - end), after.slice(start, after.length - end)));
  pieces.push(...before.slice(before.length - end).map((text): Piece => ({ kind: "same", text })));
  return pieces;
}

function middle(a: string[], b: string[]): Piece[] {
  const removed = a.map((text): Piece => ({ kind: "removed", text }));
  const added = b.map((text): Piece => ({ kind: "added", text }));
  if (a.length === 0 || b.length === 0 || a.length * b.length > most) return [...removed, ...added];
  const width = b.length + 1;
  const longest = new Uint32Array((a.length + 1) * width);
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      longest[i * width + j] = a[i] === b[j]
        ? longest[(i + 1) * width + j + 1]! + 1
        : Math.max(longest[(i + 1) * width + j]!, longest[i * width + j + 1]!);
    }
  }
  const pieces: Piece[] = [];
  let i = 0, j = 0;
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) {
      pieces.push({ kind: "same", text: a[i]! });
      i += 1; j += 1;
    } else if (j === b.length || (i < a.length && longest[(i + 1) * width + j]! >= longest[i * width + j + 1]!)) {
      pieces.push({ kind: "removed", text: a[i]! });
      i += 1;
    } else {
      pieces.push({ kind: "added", text: b[j]! });
      j += 1;
    }
  }
  return pieces;
}

export const lines = (before: string, after: string): Piece[] => sequence(before.split("\n"), after.split("\n"));

const tokens = (text: string): string[] => text.match(/[\p{L}\p{N}_]+|\s+|[^\p{L}\p{N}_\s]/gu) ?? [];

export const words = (before: string, after: string): Piece[] => {
  const merged: Piece[] = [];
  for (const piece of sequence(tokens(before), tokens(after))) {
    const last = merged[merged.length - 1];
    if (last && last.kind === piece.kind) last.text += piece.text;
    else merged.push({ ...piece });
  }
  return merged;
};
