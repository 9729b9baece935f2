// refused: why something does not verify. The verdict is one of the names in
// verifier/hallmark_verdict.h ("item_signature"); the text is for people.

export class Refused extends Error {
  constructor(verdict, why) {
    super(why);
    this.name = "Refused";
    this.verdict = verdict;
  }
}

// Throws unless `condition` holds.
export function need(condition, why) {
  if (!condition) throw new Error(why);
}

// What read() returns; whatever it throws becomes this verdict, unless it is a
// verdict already.
export function reading(verdict, read) {
  try {
    return read();
  } catch (error) {
    if (error instanceof Refused) throw error;
    throw new Refused(verdict, error.message);
  }
}
