import { expect } from 'chai';
import { ByteBudget } from '../../src/ByteBudget.ts';

describe('a budget of bytes', () => {
  it('gives each owner its share, to the byte', () => {
    const ada = new ByteBudget(100, 0.5).of('Ada');
    expect([ada.fits(50), ada.fits(51)]).to.deep.equal([true, false]);
    ada.add(30);
    expect([ada.fits(20), ada.fits(21)]).to.deep.equal([true, false]);
  });

  it('counts what an owner holds in all its places, and not against the share of others', () => {
    const budget = new ByteBudget(100, 0.5);
    budget.of('Ada').add(20);
    budget.of('Ada').add(20);
    expect([budget.of('Ada').fits(11), budget.of('Bob').fits(50)]).to.deep.equal([false, true]);
  });

  it('refuses what exceeds the total, to the byte, also within a share', () => {
    const budget = new ByteBudget(100, 0.5);
    budget.of('Ada').add(50);
    budget.of('Bob').add(40);
    expect([budget.of('Eve').fits(10), budget.of('Eve').fits(11)]).to.deep.equal([true, false]);
    expect(budget.used).to.equal(90);
  });

  it('takes multiples of share and total', () => {
    const budget = new ByteBudget(100, 0.5);
    budget.of('Ada').add(50);
    expect([budget.of('Ada').fits(50, 2), budget.of('Ada').fits(51, 2)]).to.deep.equal([true, false]);
    budget.of('Bob').add(100);
    expect([budget.of('Eve').fits(50, 2), budget.of('Eve').fits(51, 2)]).to.deep.equal([true, false]);
  });

  it('has always room for no bytes', () => {
    const ada = new ByteBudget(10, 1).of('Ada');
    ada.add(20);
    expect([ada.fits(0), ada.fits(-1), ada.fits(1)]).to.deep.equal([true, true, false]);
  });

  it('has room again for what is released', () => {
    const budget = new ByteBudget(10, 0.5);
    const ada = budget.of('Ada');
    ada.add(5);
    ada.add(-3);
    expect([ada.fits(3), ada.fits(4), budget.used]).to.deep.equal([true, false, 2]);
    ada.add(-2);
    expect([ada.fits(5), budget.used]).to.deep.equal([true, 0]);
  });
});
