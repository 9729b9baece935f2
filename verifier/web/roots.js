// roots: the roots that this page knows by itself. AWS publishes the SHA-256
// of its root in the Nitro Enclaves User Guide, "Verifying the root of trust".
// The fingerprint is all that is needed: a document brings the certificate,
// and it counts only if its bytes have this hash.
export const KNOWN_ROOTS = {
  "aws-nitro-g1":
    "641a0321a3e244efe456463195d606317ed7cdcc3c1756e09893f3c68f79bb5b",
};
