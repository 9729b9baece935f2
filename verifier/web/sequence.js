// sequence: the order of one feed's items. Within a boot the numbers rise by
// one and each item names the hash of the one before. Another boot starts a
// chain of its own, at any number that we happen to see first, but never
// earlier than what we hold.
//
// The verdicts are hm_sequence_next()'s of verifier/hallmark.h. A gap is
// reported, not refused: after it, and after "valid", the state moves on.

const ZEROS = "0".repeat(64);

function judgeNewBoot(state, item) {
  if (item.sequence === 0 && item.previous !== ZEROS) return "sequence_fork";
  if (state !== null && item.publishedMs < state.publishedMs) {
    return "time_regression";
  }
  return "valid";
}

function judgeSameBoot(state, item) {
  const next = item.sequence === state.sequence + 1;
  if (item.sequence < state.sequence) return "sequence_replay";
  if (item.sequence === state.sequence) {
    return item.sha256 === state.sha256 ? "sequence_replay" : "sequence_fork";
  }
  if (next && item.previous !== state.sha256) return "sequence_fork";
  if (item.publishedMs < state.publishedMs) return "time_regression";
  return next ? "valid" : "sequence_gap";
}

// item: { bootId, sequence, previous, sha256, publishedMs } of a verified one;
// state: null, or what the last call gave. Returns { verdict, state, missing }:
// how many items were never seen.
export function nextInSequence(state, item) {
  const same = state !== null && state.bootId === item.bootId;
  const verdict = same ? judgeSameBoot(state, item)
    : judgeNewBoot(state, item);
  const moves = verdict === "valid" || verdict === "sequence_gap";
  return {
    verdict,
    state: moves ? item : state,
    missing: verdict === "sequence_gap"
      ? item.sequence - state.sequence - 1 : 0,
  };
}
