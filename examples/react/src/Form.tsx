import type { FormEvent, ReactNode } from 'react';

/** A form that passes on its fields, and is empty then. React 18 has no `action` of forms. */
export function Form({ entered, children }: { entered: (fields: FormData) => void; children: ReactNode }) {
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    entered(new FormData(event.currentTarget));
    event.currentTarget.reset();
  };
  return <form onSubmit={submit}>{children}</form>;
}
