// Starts the language server for specs, where its client is installed.
const { workspace } = require("vscode");

let client;

async function activate() {
  let LanguageClient;
  try {
    ({ LanguageClient } = require("vscode-languageclient/node"));
  } catch {
    return; // colours alone
  }
  const [command, ...args] = workspace.getConfiguration("codsl").get("command");
  const documentSelector = [{ language: "codsl" }, { scheme: "file", language: "yaml" }];
  client = new LanguageClient("codsl", "codsl", { command, args }, { documentSelector });
  await client.start();
}

function deactivate() {
  return client?.stop();
}

module.exports = { activate, deactivate };
