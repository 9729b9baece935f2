// chain: from the root that a document's bundle begins with, which the caller
// found, byte for byte, among the roots of its policy, down to the leaf that
// signs the document. Each certificate is held against the profile (x509.js),
// and each must be signed by the one before it, in the order given.
//
// Times are not judged here: the facts carry the bounds.
import { toHex } from "./bytes.js";
import { Refused } from "./refused.js";
import { isCa, isLeaf, isSignedBy, parseCert } from "./x509.js";

// AWS: the leaf's name is "<module_id>.<region>.aws".
function leafBelongsTo(leaf, moduleId) {
  return leaf.name.startsWith(`${moduleId}.`) &&
    leaf.name.length > moduleId.length + 1;
}

function checkProfile(certs, moduleId) {
  const cas = certs.length - 1, leaf = certs[cas];
  for (let i = 0; i < cas; i++) {
    if (!isCa(certs[i], cas - 1 - i)) {
      throw new Refused("certificate_profile", `certificate ${i} is no CA`);
    }
  }
  if (!isLeaf(leaf)) {
    throw new Refused("certificate_profile", "the last one is no leaf");
  }
  if (!leafBelongsTo(leaf, moduleId)) {
    throw new Refused("certificate_profile", "the leaf is another enclave's");
  }
}

// The certificates, root first; or Refused certificate_profile.
export async function openChain(document) {
  const certs = [];
  for (const der of [...document.cabundle, document.certificate]) {
    certs.push(await parseCert(der));
  }
  checkProfile(certs, document.moduleId);
  return certs;
}

// Refused chain_broken, unless each is signed by the one before.
export async function verifyChain(certs) {
  for (let i = 1; i < certs.length; i++) {
    if (!await isSignedBy(certs[i], certs[i - 1])) {
      throw new Refused("chain_broken",
        `certificate ${i} is not signed by the one above it`);
    }
  }
}

// What remains of a verified chain: the latest notBefore, the earliest
// notAfter, and who issued what.
export function chainFacts(certs) {
  return {
    notBeforeMs: Math.max(...certs.map((cert) => cert.notBeforeMs)),
    notAfterMs: Math.min(...certs.map((cert) => cert.notAfterMs)),
    links: certs.slice(1).map((cert, i) => ({
      issuer: toHex(certs[i].spkiSha256),
      serial: toHex(cert.serial),
    })),
  };
}
