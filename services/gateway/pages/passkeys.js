// The one script of these pages, for the one thing that needs one: passkeys.
//
// Asks our own origin what a passkey is to answer, has the browser ask the person, and sends the answer as an
// ordinary form. Keeps nothing. Where it does not run, its forms stay hidden and all else works.
"use strict";

const TEXTS = {
  NotAllowedError: "No passkey was used. Try again, or choose another way.",
  InvalidStateError: "This device has a passkey for you already.",
};
const TEXT_OTHERWISE = "That did not work. Try again, or choose another way.";

function toBytes(text) {
  const binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(binary, (character) => character.charCodeAt(0));
}

function toText(buffer) {
  const binary = String.fromCharCode(...new Uint8Array(buffer));
  return btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

// What browsers without the JSON functions of WebAuthn Level 3 need.
function plainOptions(options) {
  const withBytes = (each) => ({ ...each, id: toBytes(each.id) });
  return {
    ...options,
    challenge: toBytes(options.challenge),
    ...(options.user && { user: withBytes(options.user) }),
    ...(options.allowCredentials && { allowCredentials: options.allowCredentials.map(withBytes) }),
    ...(options.excludeCredentials && { excludeCredentials: options.excludeCredentials.map(withBytes) }),
  };
}

function plainAnswer(credential) {
  const members = ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"];
  const present = members.filter((name) => credential.response[name]);
  return {
    id: credential.id,
    rawId: toText(credential.rawId),
    type: credential.type,
    clientExtensionResults: credential.getClientExtensionResults(),
    response: Object.fromEntries(present.map((name) => [name, toText(credential.response[name])])),
  };
}

const ceremonies = {
  async create(options) {
    const parse = PublicKeyCredential.parseCreationOptionsFromJSON?.bind(PublicKeyCredential) ?? plainOptions;
    return navigator.credentials.create({ publicKey: parse(options) });
  },
  async get(options) {
    const parse = PublicKeyCredential.parseRequestOptionsFromJSON?.bind(PublicKeyCredential) ?? plainOptions;
    return navigator.credentials.get({ publicKey: parse(options) });
  },
};

async function begin(form) {
  const body = new URLSearchParams({ form_token: form.dataset.beginToken });
  const answer = await fetch(form.dataset.begin, { method: "POST", body, credentials: "same-origin" });
  const told = await answer.json();
  if (!answer.ok) {
    throw Object.assign(new Error(told.detail), { isTold: true });
  }
  return told;
}

async function answer(form) {
  const { ceremony, options } = await begin(form);
  const credential = await ceremonies[form.dataset.passkey](JSON.parse(options));
  form.elements.ceremony.value = ceremony;
  form.elements.credential.value = JSON.stringify(credential.toJSON?.() ?? plainAnswer(credential));
  form.submit();
}

function prepare(form) {
  const complaint = form.querySelector("[role=alert]");
  const button = form.querySelector("button");
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    complaint.hidden = true;
    button.disabled = true;
    try {
      await answer(form);
    } catch (error) {
      complaint.textContent = error.isTold ? error.message : (TEXTS[error.name] ?? TEXT_OTHERWISE);
      complaint.hidden = false;
    } finally {
      button.disabled = false;
    }
  });
  form.hidden = false;
}

if (window.PublicKeyCredential) {
  document.querySelectorAll("form[data-passkey]").forEach(prepare);
  document.querySelectorAll("[data-without-passkeys]").forEach((element) => { element.hidden = true; });
}
