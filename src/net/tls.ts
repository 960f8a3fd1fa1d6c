import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';
import type { Logger } from 'pino';
import { StartError } from '../protocol/errors.ts';

/** Paths of files in PEM: the certificate with its intermediate certificates, and its private key. */
export interface CertificateFiles {
  readonly cert: string;
  readonly key: string;
}

export interface Certificate {
  /** SHA-256 of the certificate, by which one is distinguished from another. */
  readonly fingerprint: string;
  readonly until: Date;
}

/** Milliseconds between two looks at the files. */
const LOOK = 5_000;

/** Reads a certificate; throws a {@link StartError} that says which file is wrong and why. */
export async function readCertificate(files: CertificateFiles): Promise<Certificate> {
  const [cert, key] = await Promise.all([read('TLS_CERT', files.cert), read('TLS_KEY', files.key)]);
  try {
    createSecureContext({ cert, key }); // that they belong together
    const { fingerprint256, validTo } = new X509Certificate(cert);
    return { fingerprint: fingerprint256, until: new Date(validTo) };
  } catch (error) {
    throw new StartError(
      `TLS_CERT and TLS_KEY hold no certificate and key that belong together: ${(error as Error).message}`,
    );
  }
}

async function read(variable: string, file: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code;
    throw new StartError(
      `${variable} names ${file}, which cannot be read (${reason}); expected a file in PEM`,
    );
  }
}

/**
 * Calls `renewed` when the files hold another certificate than the `known` one, and never after `close`; an invalid one is
 * logged once.
 */
export function watchCertificate(
  files: CertificateFiles,
  known: () => Certificate | undefined,
  log: Logger,
  renewed: (certificate: Certificate) => Promise<void>,
): { close(): void } {
  let lastError = '';
  let isClosed = false;

  async function look(): Promise<void> {
    const now = await readCertificate(files);
    lastError = '';
    if (!isClosed && now.fingerprint !== known()?.fingerprint) await renewed(now);
  }

  const timer = setInterval(() => {
    look().catch((error: Error) => {
      if (error.message !== lastError) log.error({ err: error }, 'failed to renew certificate');
      lastError = error.message; // each is logged once
    });
  }, LOOK).unref();
  return {
    close() {
      isClosed = true;
      clearInterval(timer);
    },
  };
}
